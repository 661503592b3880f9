"""libcamera's software ISP: its tables in integers, and its tuning files."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from campro.cameras.simple_isp import SimpleIsp, developed
from campro.core.errors import CamproError
from campro.isp import Camera, load_profile

UNCALIBRATED = "# c\n%YAML 1.1\n---\nversion: 1\nalgorithms:\n  - BlackLevel:\n  - Awb:\n  - Ccm:\n  - Adjust:\n...\n"
STRONG = load_profile("campro-strong")


def held():
    return SimpleIsp.limits.fitted(STRONG)


def test_the_realised_profile_gives_what_the_tables_give():
    """The camera rounds three products, the profile their sum: at most one step of the table, in some pixels."""
    linear = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    matrix = np.array(held().blocks[1].matrix)
    shown = developed(matrix, linear).astype(int)
    table = np.floor(255 * (np.arange(256) / 255) ** (1 / 2.2) + 1e-9).astype(int)
    sums = np.floor((linear @ matrix.T).clip(0, 255) + 0.5).astype(int)
    assert (shown == table[sums]).mean() > 0.7
    assert ((table[(sums - 1).clip(0)] <= shown) & (shown <= table[(sums + 1).clip(max=255)])).all()
    assert np.abs(Camera(held())(linear).astype(int) - Camera(STRONG)(linear)).mean() < 3


@pytest.mark.parametrize("base", [UNCALIBRATED, UNCALIBRATED.replace("  - Ccm:\n", "")])
def test_files_without_a_matrix_get_one(base):
    files = SimpleIsp().write(held(), base)
    (settings,) = [one["Ccm"] for one in yaml.safe_load(files["tuning.yaml"])["algorithms"] if "Ccm" in one]
    np.testing.assert_allclose(settings["ccms"][0]["ccm"], np.ravel(held().blocks[1].matrix))
    assert SimpleIsp().read(files, base).blocks == held().blocks
    assert "added" in SimpleIsp().notes(base).switched_on[0]
    assert SimpleIsp().recognises(base)


def test_the_matrix_is_added_behind_white_balance_and_before_the_tables():
    """libcamera runs the algorithms in the order of the file (module.h; Lut and Adjust use the matrix)."""
    text = SimpleIsp().write(held(), UNCALIBRATED.replace("  - Ccm:\n", "  # - Ccm:\n"))["tuning.yaml"]
    names = [next(iter(one)) for one in yaml.safe_load(text)["algorithms"]]
    assert names == ["BlackLevel", "Awb", "Ccm", "Adjust"]


def test_other_curves_and_other_processors_are_refused():
    assert any("fixed" in reason for reason in SimpleIsp.limits.problems(load_profile("campro-default")))
    with pytest.raises(CamproError, match="Filter, which it does not have"):
        SimpleIsp().write(held(), UNCALIBRATED.replace("Adjust", "Filter"))
    assert not SimpleIsp().recognises("version: 1\nalgorithms:\n  - Awb:\n")

"""Overrides files of NVIDIA Jetson cameras."""

from __future__ import annotations

import numpy as np
import pytest

from campro.cameras.jetson_isp import JetsonIsp
from campro.core.errors import CamproError
from campro.isp import load_profile

from .camera_files import JETSON

HELD = JetsonIsp.limits.fitted(load_profile("campro-strong"))
OWN = np.array([[1.9, -0.6, -0.3], [-0.6, 2.4, -0.8], [0.0, -0.6, 1.6]])
"""The matrix of JETSON; row = output channel."""


def test_the_matrix_is_stored_transposed_and_the_rest_stays():
    text = JetsonIsp().write(HELD, JETSON)[JetsonIsp.FILE]
    product = np.array(HELD.blocks[1].matrix) @ OWN
    for index in range(3):
        words = ", ".join(f"{value:.6f}" for value in product[:, index])
        assert f"colorCorrection.srgbMatrix[{index}] = {{{words}}};" in text
    kept = [line for line in JETSON.splitlines() if "srgbMatrix" not in line]
    assert [line for line in text.splitlines() if "srgbMatrix" not in line] == kept


def test_a_file_without_a_matrix_gets_one():
    base = "opticalBlack.manualBiasR = 0.0586;"
    files = JetsonIsp().write(HELD, base)
    assert files[JetsonIsp.FILE].startswith(base + "\n")
    assert JetsonIsp().read(files, base).blocks == HELD.blocks
    assert "added" in JetsonIsp().notes(base).switched_on[0]
    assert "JetPack 7" in JetsonIsp().notes(base).warnings[2]


@pytest.mark.parametrize("row", ["{1, 2}", "{0, 0, 0}", "{1, 2, x}", "{1, 2, nan}"])
def test_damaged_matrices_are_refused(row):
    with pytest.raises(CamproError, match="srgbMatrix"):
        JetsonIsp().write(HELD, JETSON.replace("{1.9, -0.6, 0.0}", row))

"""libcamera tuning files of the RkISP1: matrices, offsets and the exponent."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from campro.cameras.camera_table import CAMERAS
from campro.cameras.rkisp1_tuning import OWN
from campro.core.errors import CamproError
from campro.deploy.profile_difference import difference
from campro.isp import Degamma, GammaLut, IspProfile, Quantise, load_profile
from campro.isp.limits import parts

from .camera_files import MATRICES, ROUNDING_LEVELS, base_for, fitted_files, profile

KNOTS = CAMERAS["rkisp1"].limits.curve.knots
CURVE = GammaLut((tuple(knot**0.4 for knot in KNOTS),), KNOTS)
POWER = IspProfile("power", (Degamma(), profile().blocks[1], CURVE, Quantise(8)))


def rkisp1_settings(text: str) -> dict:
    """As libcamera reads them: libyaml, a list of algorithms by name, version 1."""
    document = yaml.load(text, Loader=yaml.CSafeLoader)
    assert document["version"] == 1
    return {name: value for entry in document["algorithms"] for name, value in entry.items()}


def test_the_exponent_and_the_offsets_of_an_rkisp1_file():
    target, held, files = fitted_files("rkisp1", POWER)
    found = rkisp1_settings(files[target.FILE])
    assert found["GammaOutCorrection"]["gamma"] == pytest.approx(2.5, abs=0.01)
    matrix = np.array(held.blocks[1].matrix)
    first, second = found["Ccm"]["ccms"]
    np.testing.assert_array_equal(first["offsets"], np.floor(matrix @ [4, -8, 0] + 0.5))
    assert second["offsets"] == [0, 0, 0]
    np.testing.assert_allclose(
        np.reshape(second["ccm"], (3, 3)), matrix @ np.reshape(MATRICES[6500], (3, 3)), atol=1e-6
    )
    assert list(found) == ["Agc", "Ccm", "Awb", "GammaOutCorrection"]
    assert files[target.FILE].startswith("# a comment that stays")


def test_libcamera_draws_the_curve_that_we_realise():
    """Its loop by hand (goc.cpp): trunc(1023 x (x / 4096) ^ (1 / gamma)) at its segments."""
    target, _, files = fitted_files("rkisp1", POWER)
    gamma = rkisp1_settings(files[target.FILE])["GammaOutCorrection"]["gamma"]
    places = np.cumsum([0, 64, 64, 64, 64, 128, 128, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512])
    back = parts(target.read(files, base_for("rkisp1")))[1]
    np.testing.assert_array_equal(
        np.round(np.array(back.values[0]) * 1023), np.trunc((places / 4096) ** (1 / gamma) * 1023)
    )


def test_an_uncalibrated_rkisp1_file_gets_the_profiles_matrix():
    base = "version: 1\nalgorithms:\n  - Agc:\n  - GammaOutCorrection:\n  - Awb:"
    target = CAMERAS["rkisp1"]
    held = target.limits.realised(target.limits.fitted(POWER))
    files = target.write(held, base)
    found = rkisp1_settings(files[target.FILE])
    np.testing.assert_allclose(np.reshape(found["Ccm"]["ccms"][0]["ccm"], (3, 3)), parts(held)[0].matrix, atol=1e-5)
    assert found["GammaOutCorrection"]["gamma"] == pytest.approx(2.5, abs=0.01)
    assert difference(held, target.read(files, base)).largest <= 1


def test_a_curve_that_is_no_power_is_refused():
    with pytest.raises(CamproError, match="power of its input"):
        CAMERAS["rkisp1"].limits.realised(load_profile("campro-default"))


@pytest.mark.shared
def test_real_rkisp1_files(deploy_files):
    target = CAMERAS["rkisp1"]
    held = target.limits.realised(target.limits.fitted(POWER))
    for path in sorted((deploy_files / "libcamera" / "rkisp1").glob("*.yaml")):
        base = target.read_base(path)
        files = target.write(held, base)
        rkisp1_settings(files[target.FILE])
        assert difference(held, target.read(files, base)).largest <= ROUNDING_LEVELS["rkisp1"]
        kept = set(base.splitlines()) - set(files[target.FILE].splitlines())
        assert all("ccm" in line or "[" in line for line in kept), kept


UNCALIBRATED = "version: 1\nalgorithms:\n  - Agc:\n  - Awb:\n  - BlackLevelCorrection:\n      Gr: 256\n"


def check_as_libcamera_does(text: str) -> None:
    """A strict re-statement of libcamera's rules: ipa/rkisp1/rkisp1.cpp, libipa/module.h, algorithms/ccm.cpp.

    Version 1; each entry one known algorithm; "ccms" a list of colour temperatures with 9 numbers, "offsets" 3 integers
    of 16 bit. The parser has no aliases.
    """
    document = yaml.load(text, Loader=yaml.CSafeLoader)
    assert document["version"] == 1
    assert all(len(entry) == 1 and set(entry) <= OWN for entry in document["algorithms"])
    settings = [entry["Ccm"] for entry in document["algorithms"] if "Ccm" in entry]
    assert len(settings) == 1
    assert settings[0].get("enabled", True) is True
    assert settings[0]["ccms"]
    for entry in settings[0]["ccms"]:
        assert isinstance(entry["ct"], int)
        assert len(entry["ccm"]) == 9
        assert all(isinstance(value, int | float) for value in entry["ccm"])
        assert all(isinstance(value, int) and -(2**15) <= value < 2**15 for value in entry.get("offsets", [0, 0, 0]))


@pytest.mark.parametrize(
    "base",
    [
        UNCALIBRATED,
        UNCALIBRATED + "  - Ccm:\n",
        UNCALIBRATED.replace("Agc:", "Ccm:\n  - Agc:"),
        base_for("rkisp1"),
        base_for("rkisp1").replace("ccms:", "enabled: false\n      ccms:"),
    ],
)
@pytest.mark.slow
def test_libcameras_rules_hold(base):
    target = CAMERAS["rkisp1"]
    held = target.limits.realised(target.limits.fitted(POWER))
    files = target.write(held, base)
    check_as_libcamera_does(files[target.FILE])
    assert difference(held, target.read(files, base)).largest <= ROUNDING_LEVELS["rkisp1"]


def test_what_was_added_is_reported():
    notes = CAMERAS["rkisp1"].notes(UNCALIBRATED)
    assert [one.split(" ")[0] for one in notes.switched_on] == ["Ccm", "GammaOutCorrection"]
    assert "no calibrated matrix" in notes.warnings[0]


OTHER_PROCESSORS = {
    "ipu3": "version: 1\nalgorithms:\n  - Af:\n  - Agc:\n  - Awb:\n",
    "mali-c55": "version: 1\nalgorithms:\n  - Agc:\n  - BlackLevelCorrection:\n      offset00: 3200\n",
    "simple": "version: 1\nalgorithms:\n  - BlackLevel:\n  - Awb:\n  - Lut:\n  - Agc:\n",
}


@pytest.mark.parametrize("processor", OTHER_PROCESSORS)
def test_files_of_other_processors_are_refused_by_name(processor):
    with pytest.raises(CamproError, match=processor):
        CAMERAS["rkisp1"].write(profile(), OTHER_PROCESSORS[processor])

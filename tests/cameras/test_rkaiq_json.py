"""IQ files in JSON: every scene gets the profile."""

from __future__ import annotations

import json

import numpy as np
import pytest

from campro.cameras.rkaiq_json import ISP21, ISP30, ISP32
from campro.core.errors import CamproError
from campro.isp.limits import parts

from .camera_files import MATRICES, base_for, fitted_files, iq_json, profile


@pytest.mark.parametrize("target", [ISP21, ISP30, ISP32])
def test_every_scene_of_an_iq_file_in_json_gets_the_profile(target):
    _, held, files = fitted_files(target.name, profile())
    document, before = json.loads(files[target.FILE]), json.loads(base_for(target.name))
    for new, old in zip(document["main_scene"][0]["sub_scene"], before["main_scene"][0]["sub_scene"]):
        ccm = new[target.scene][target.ccm]
        cells = [*ccm["TuningPara"]["matrixAll"], *([ccm["manualPara"]] if "manualPara" in ccm else [])]
        for cell, own in zip(cells, [*MATRICES.values(), MATRICES[2800]]):
            wanted = np.array(held.blocks[1].matrix) @ np.reshape(own, (3, 3))
            np.testing.assert_allclose(np.reshape(cell["ccMatrix"], (3, 3)), wanted, atol=1e-6)
        assert set(ccm["lumaCCM"]["y_alpha_curve"]) == {1024}
        assert set(ccm["lumaCCM"]["gain_alphaScale_curve"]["scale"]) == {1}
        curve = new[target.scene][target.gamma[0]]["GammaTuningPara"]
        assert (curve["Gamma_en"], curve["Gamma_out_offset"]) == (1, 0)
        assert new[target.scene]["sharp_calib"] == old[target.scene]["sharp_calib"]


def test_the_49_knots_are_those_of_the_kernel():
    """rkisp2-config.h: segments 1 x8, 2 x4, 4 x4, ... 256 x4, then 256 x8."""
    segments = [1] * 8 + [2**power for power in range(1, 9) for _ in range(4)] + [256] * 8
    places = np.cumsum([0, *segments])
    assert places[-1] == 4096
    knots = np.array(ISP30.limits.curve.knots) * 4095
    np.testing.assert_allclose(knots[:-1], places[:-1])


OLDER = [(ISP21, "agamma_calib", 45), (ISP30, "agamma_calib_V30", 49)]


@pytest.mark.parametrize(("target", "name", "points"), OLDER)
def test_the_older_names_of_the_curve(target, name, points):
    base = iq_json(target.scene.removeprefix("scene_"), name, points)
    held = target.limits.realised(target.limits.fitted(profile()))
    back = target.read(target.write(held, base), base)
    np.testing.assert_allclose(parts(back)[0].matrix, parts(held)[0].matrix, atol=0.02)
    assert parts(back)[1] == parts(held)[1]


@pytest.mark.parametrize("target", [ISP21, ISP32])
@pytest.mark.parametrize(("off", "on"), [("0", 1), ("false", True)])
def test_a_matrix_that_is_switched_off_is_switched_on_and_reported(target, off, on):
    base = base_for(target.name).replace('"enable": 1', f'"enable": {off}')
    held = target.limits.realised(target.limits.fitted(profile()))
    files = target.write(held, base)
    scene = json.loads(files[target.FILE])["main_scene"][0]["sub_scene"][1][target.scene]
    assert scene[target.ccm]["control"]["enable"] is on or scene[target.ccm]["control"]["enable"] == on
    notes = target.notes(base)
    assert notes.switched_on[0] == f"{target.ccm}/control/enable (the file had 0)"
    with pytest.raises(CamproError, match="switched on"):
        target.read({target.FILE: files[target.FILE].replace(f'"enable": {str(on).lower()}', f'"enable": {off}')}, base)


def test_the_enhancement_of_the_matrix_is_switched_off():
    base = base_for("rockchip-isp32").replace('"control"', '"enhCCM": {"enh_ctl": {"enh_adj_en": 1}}, "control"')
    held = ISP32.limits.realised(ISP32.limits.fitted(profile()))
    assert '"enh_adj_en": 0' in ISP32.write(held, base)[ISP32.FILE]


def test_what_still_acts_is_listed_with_its_state():
    """The switch of a block is the one nearest to its root: the one of a part (DrcGain) does not count."""
    notes = ISP30.notes(base_for("rockchip-isp30"))
    assert "tone mapping (DRC): off" in notes.still_acts
    assert "dehazing: on" in notes.still_acts
    assert "sharpening: no switch in the file" in notes.still_acts
    assert notes.warnings == ()
    grey = base_for("rockchip-isp30").replace('"adrc_calib"', '"colorAsGrey": {"param": {"enable": 1}}, "adrc_calib"')
    assert "grey pictures" in ISP30.notes(grey).warnings[0]


@pytest.mark.parametrize("target", [ISP21, ISP30, ISP32])
def test_rkaiqs_rules_hold(target):
    """A strict re-statement of rkaiq's parser, not the parser itself: no binary of it runs here.

    Sources: rkaiq iq_parser_v2/RkAiqCalibDbV2.cpp and j2s (cJSON: plain JSON; the scene of its own processor; arrays
    of the lengths in accm_head.h and agamma_head.h), algos/accm (register: (matrix - identity) x 128 in 11 bit plus
    sign, that is -1024 to 1023), algos/agamma (12 bit).
    """
    document = json.loads(fitted_files(target.name, profile())[2][target.FILE])
    for main in document["main_scene"]:
        for sub in main["sub_scene"]:
            settings = sub[target.scene]
            (curve,) = (settings[name] for name in target.gamma if name in settings)
            values = curve["GammaTuningPara"]["Gamma_curve"]
            assert len(values) == len(target.limits.curve.knots)
            assert all(isinstance(value, int) and 0 <= value <= 4095 for value in values)
            for cell in settings[target.ccm]["TuningPara"]["matrixAll"]:
                assert len(cell["ccMatrix"]) == 9
                assert len(cell["ccOffsets"]) == 3
                registers = np.round((np.array(cell["ccMatrix"]) - np.eye(3).ravel()) * 128)
                assert registers.min() >= -1024
                assert registers.max() <= 1023

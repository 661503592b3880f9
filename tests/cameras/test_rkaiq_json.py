"""IQ files in JSON: every scene gets the profile."""

from __future__ import annotations

import json

import numpy as np
import pytest

from campro.cameras.rkaiq_json import ISP21, ISP30

from .camera_files import MATRICES, base_for, fitted_files, profile


@pytest.mark.parametrize("target", [ISP21, ISP30])
def test_every_scene_of_an_iq_file_in_json_gets_the_profile(target):
    _, held, files = fitted_files(target.name, profile())
    document, before = json.loads(files[target.FILE]), json.loads(base_for(target.name))
    for new, old in zip(document["main_scene"][0]["sub_scene"], before["main_scene"][0]["sub_scene"]):
        ccm = new["scene"]["ccm_calib"]
        cells = [*ccm["TuningPara"]["matrixAll"], *([ccm["manualPara"]] if "manualPara" in ccm else [])]
        for cell, own in zip(cells, [*MATRICES.values(), MATRICES[2800]]):
            wanted = np.array(held.blocks[1].matrix) @ np.reshape(own, (3, 3))
            np.testing.assert_allclose(np.reshape(cell["ccMatrix"], (3, 3)), wanted, atol=1e-6)
        assert set(ccm["lumaCCM"]["y_alpha_curve"]) == {1024}
        assert set(ccm["lumaCCM"]["gain_alphaScale_curve"]["scale"]) == {1}
        curve = new["scene"][target.gamma]["GammaTuningPara"]
        assert (curve["Gamma_en"], curve["Gamma_out_offset"]) == (1, 0)
        assert new["scene"]["sharp_calib"] == old["scene"]["sharp_calib"]


def test_the_49_knots_are_those_of_the_kernel():
    """rkisp2-config.h: segments 1 x8, 2 x4, 4 x4, ... 256 x4, then 256 x8."""
    segments = [1] * 8 + [2**power for power in range(1, 9) for _ in range(4)] + [256] * 8
    places = np.cumsum([0, *segments])
    assert places[-1] == 4096
    knots = np.array(ISP30.limits.curve.knots) * 4095
    np.testing.assert_allclose(knots[:-1], places[:-1])

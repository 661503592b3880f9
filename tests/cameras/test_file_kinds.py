"""The kind of a camera's own file, by its content; kinds that no target takes, by name."""

from __future__ import annotations

import pytest

from campro.cameras.camera_table import CAMERAS
from campro.cameras.file_kinds import check_kind, detect_camera
from campro.core.errors import CamproError

from .camera_files import BASES, base_for, profile


@pytest.mark.parametrize("name", BASES)
def test_each_file_is_recognised_by_its_own_camera_alone(name):
    own = base_for(name) + ("  - GammaOutCorrection:\n" if name == "rkisp1" else "")
    own = own.replace("...\n", "") if name == "rkisp1" else own
    assert detect_camera(own) is CAMERAS[name]
    check_kind(CAMERAS[name], own)
    other = next(camera for camera in CAMERAS.values() if camera.base and camera.name != name)
    with pytest.raises(CamproError, match=f"use --target {name}"):
        check_kind(other, own)


SHARED_ALGORITHMS = "version: 1\nalgorithms:\n  - Agc:\n  - Awb:\n"


def test_a_file_that_fits_several_processors_needs_a_name():
    """libcamera's uncalibrated files hold two algorithms that several processors have."""
    with pytest.raises(CamproError, match="give --target rkisp1"):
        detect_camera(SHARED_ALGORITHMS)
    check_kind(CAMERAS["rkisp1"], SHARED_ALGORITHMS)


def test_a_file_without_white_balance_is_for_no_target():
    """mali-c55's uncalibrated file has one algorithm, which all processors have."""
    text = "version: 1\nalgorithms:\n  - Agc:\n"
    with pytest.raises(CamproError) as caught:
        detect_camera(text)
    assert "several processors" in str(caught.value)
    assert "--target" not in str(caught.value)
    with pytest.raises(CamproError, match="has Awb, which selects the matrix"):
        CAMERAS["rkisp1"].write(profile(), text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"main_scene": [{"sub_scene": [{"scene_isp39": {}}]}]}', "ISP 3.9 .RK3576."),
        ('{"main_scene": [{"sub_scene": [{"scene_isp35": {}}]}]}', "ISP 3.5"),
        ("version: 1\nalgorithms:\n  - Af:\n  - Agc:\n", "a target takes, got one for ipu3"),
        ("version: 1\nalgorithms:\n  - Lsc:\n", "one for mali-c55"),
        ("<root></root>", "another XML file"),
        ('{"a": 1}', "none of these"),
        ("", "names and values"),
    ],
)
def test_a_kind_that_no_target_takes_is_named(text, reason):
    with pytest.raises(CamproError, match=reason):
        detect_camera(text)

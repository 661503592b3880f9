"""Camera2: rational numbers, curves of at most 64 points, and the Kotlin source."""

from __future__ import annotations

import json

import numpy as np
import pytest

from campro.cameras.android import CHANNELS, POINTS, Camera2
from campro.core.errors import CamproError
from campro.isp import load_profile

from .camera_files import fitted_files, profile


def test_both_files_hold_the_same_numbers():
    _, held, files = fitted_files("android-camera2", profile())
    document = json.loads(files[Camera2.JSON])
    rationals = np.array(document["colorSpaceTransform"])
    np.testing.assert_allclose(rationals[:, 0] / rationals[:, 1], np.ravel(held.blocks[1].matrix), atol=1e-4)
    for numerator, denominator in document["colorSpaceTransform"]:
        assert f"{numerator}.0 / {denominator}" in files[Camera2.KOTLIN]
    for x, y in document["tonemapCurve"]["red"]:
        assert f"{x:.8f}f, {y:.8f}f" in files[Camera2.KOTLIN]
    assert "@" not in files[Camera2.KOTLIN].replace("@param", "")


def test_a_curve_of_too_many_points_is_refused():
    with pytest.raises(CamproError, match=f"at most {POINTS} points"):
        Camera2().write(profile(values=np.linspace(0, 1, POINTS + 1)), "")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("colorSpaceTransform", [[1, 1]] * 8),
        ("colorSpaceTransform", [[1, 0]] * 9),
        ("tonemapCurve", {name: [[0, 0]] for name in CHANNELS}),
        ("tonemapCurve", {name: [[0, 0], [0.5, 1], [0.5, 0]] for name in CHANNELS}),
        ("tonemapCurve", {"red": [[0, 0], [1, 1]]}),
    ],
)
def test_settings_that_camera2_would_refuse_are_refused(key, value):
    files = Camera2().write(profile(), "")
    document = json.loads(files[Camera2.JSON])
    document[key] = value
    with pytest.raises(CamproError, match="camera2"):
        Camera2().read({**files, Camera2.JSON: json.dumps(document)}, "")


def test_curves_of_three_channels_stay_apart():
    start = load_profile("campro-strong")
    _, held, files = fitted_files("android-camera2", start)
    assert Camera2().read(files, "").blocks[2].values == held.blocks[2].values

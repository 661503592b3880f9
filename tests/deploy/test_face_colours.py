"""The fast check of realised profiles: misses are found, and rounding is none."""

from __future__ import annotations

import pytest

from campro.cameras.camera_table import CAMERAS
from campro.deploy.face_colours import face_colours, misses, shares
from campro.isp import load_profile


def test_the_colours_are_of_skin():
    colours = face_colours().astype(int)
    assert colours.shape == (30, 32, 3)
    neutral = colours[::3, 20]
    assert (neutral[:, 0] >= neutral[:, 2]).all()  # red above blue


def test_a_plain_camera_keeps_all_colours():
    assert shares(load_profile("identity")).kept == pytest.approx(1)
    assert shares(load_profile("campro-default")).kept < 0.1


@pytest.mark.parametrize(
    ("name", "profile", "missed"),
    [
        ("rpi-vc4", "campro-default", False),
        ("rpi-pisp", "campro-default", True),
        ("rkisp1", "campro-default", True),
        ("rkisp1-equal", "campro-default", False),
        ("rockchip-rkaiq", "campro-default", False),
        ("rpi-pisp", "campro-strong", False),
        ("rkisp1", "campro-strong", False),
    ],
)
def test_misses_as_measured_on_lfw(name, profile, missed):
    """docs/results.md, cameras: these two combinations lose the figures of campro-default, the others keep them."""
    wanted = load_profile(profile)
    assert bool(misses(wanted, CAMERAS[name].limits.fitted(wanted))) == missed

"""What the page draws of a profile."""

from __future__ import annotations

from campro.enhance.runner import load_enhancer
from campro.isp import BUILTIN_PROFILES, load_profile
from campro.serve.page_templates import html
from campro.serve.picture_views import ENHANCED_PROFILE
from campro.serve.profile_drawing import profile_drawing


def test_every_built_in_profile_is_drawn():
    for name in BUILTIN_PROFILES:
        text = html("profile.html", drawing=profile_drawing(name, load_profile(name)))
        assert name in text and "<script" not in text


def test_the_curve_of_negative_falls():
    (curve,) = profile_drawing("negative", load_profile("negative")).curves
    heights = [float(point.split(",")[1]) for point in curve.points.split()]
    assert heights == sorted(heights) and heights[0] < heights[-1]  # y points down


def test_other_blocks_are_named():
    assert profile_drawing("defocus-9-3", load_profile("defocus-9-3")).other_blocks == ("defocus",)


def test_the_shipped_enhancer_is_for_that_profile():
    assert load_enhancer().profile.digest == load_profile(ENHANCED_PROFILE).digest

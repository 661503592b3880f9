from __future__ import annotations

import math

import pytest

from campro.core.errors import CamproError
from campro.evaluation.person_heights import HeightClass
from campro.metrics.rates import Rate
from campro.report.field_of_view import FieldOfView
from campro.report.range_curves import Crossing, DensityPoint, depth, detected_from, protected_up_to


def points(*pairs):
    return [DensityPoint(density, Rate(high / 2, 0, high, 100), "a", "r", "m", "g") for density, high in pairs]


def classes(*pairs):
    """`pairs` of (px/m, share detected)."""
    return [HeightClass(1.7 * density, 1.7 * density, Rate(share, 0, 1, 10), None) for density, share in pairs]


def test_protection_ends_where_the_upper_end_crosses_the_limit():
    found = protected_up_to(points((40, 0.02), (80, 0.06), (160, 0.5)), 0.04)
    assert found.density == pytest.approx(40 * 2**0.5)
    assert not found.open_ended


def test_protection_needs_all_lower_densities():
    """The rate at 80 px/m is low, but at 40 px/m it is not: nothing is protected."""
    assert protected_up_to(points((40, 0.2), (80, 0.01)), 0.05) == Crossing(None)


def test_a_curve_that_never_rises_is_open_ended():
    assert protected_up_to(points((40, 0.01), (80, 0.02)), 0.05) == Crossing(80, open_ended=True)
    assert protected_up_to([], 0.05) == Crossing(None)


def test_the_limit_itself_is_protected():
    assert protected_up_to(points((40, 0.05), (80, 0.05)), 0.05) == Crossing(80, open_ended=True)


def test_detection_needs_all_higher_densities():
    assert detected_from(classes((10, 0.2), (20, 0.8)), 0.5).density == pytest.approx(10 * 2**0.5)
    assert detected_from(classes((10, 0.9), (20, 0.4)), 0.5) == Crossing(None)
    assert detected_from(classes((10, 0.6), (20, 0.9)), 0.5) == Crossing(pytest.approx(10), open_ended=True)


def test_the_depth_of_the_zone():
    assert depth(Crossing(80), Crossing(20)) == 4
    assert depth(Crossing(None), Crossing(20)) is None


def test_distance_by_the_pinhole_model():
    """At 90 degrees a plane at distance D is 2 D wide."""
    camera = FieldOfView(1920, 1080, 90)
    assert camera.distance(1920 / 20) == pytest.approx(10)
    narrow = FieldOfView.of("1920x1080", None, "4mm", "5.6 mm")
    assert narrow.distance(100) == pytest.approx(1920 / 100 * 4 / 5.6)
    assert narrow.hfov == pytest.approx(math.degrees(2 * math.atan(0.7)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("1920x", 90, None, None), "--sensor"),
        (("0x1080", 90, None, None), "--sensor"),
        (("1920x1080", None, "4mm", None), "--hfov DEGREES"),
        (("1920x1080", None, "4 inch", "5.6mm"), "--lens"),
        (("1920x1080", 180, None, None), "--hfov"),
        (("1920x1080", None, "0mm", "5.6mm"), "--lens"),
    ],
)
def test_options_that_are_no_camera(options, message):
    with pytest.raises(CamproError, match=message):
        FieldOfView.of(*options)

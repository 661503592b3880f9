from __future__ import annotations

import math

import pytest

from campro.core.errors import CamproError
from campro.metrics.extrapolation import extrapolated
from campro.metrics.rates import Rate


def on_line(a, b, size, width=0.0):
    ends = (a + b * math.log2(size) + shift for shift in (0, -width, width))
    return Rate(*(1 / (1 + math.exp(-value)) for value in ends), 100)


def test_points_on_a_line_are_continued():
    points = {size: on_line(-4, 0.25, size, 0.1) for size in (400, 1600, 4000)}
    (far,) = extrapolated(points, [100_000])
    wanted = on_line(-4, 0.25, 100_000)
    assert far.mean == pytest.approx(wanted.mean, abs=1e-6)
    assert far.low < wanted.mean < far.high
    near = extrapolated(points, [1600])[0]
    assert near.high - near.low < far.high - far.low  # the farther away, the less certain


def test_scatter_beyond_the_intervals_widens_the_prediction():
    straight = {size: on_line(-4, 0.25, size, 0.02) for size in (400, 1600, 4000)}
    bent = straight | {1600: on_line(-3.5, 0.25, 1600, 0.02)}
    widths = [rate.high - rate.low for points in (straight, bent) for rate in extrapolated(points, [20_000])]
    assert widths[1] > 3 * widths[0]


def test_rates_at_the_ends_stay_rates():
    points = {size: Rate(1, 0.99, 1, 50) for size in (10, 20, 40)}
    assert extrapolated(points, [1_000_000])[0].mean <= 1


def test_two_sizes_are_too_few():
    with pytest.raises(CamproError, match="3 training-set sizes"):
        extrapolated({10: Rate(0.1, 0, 0.2, 5), 20: Rate(0.2, 0.1, 0.3, 5)}, [100])

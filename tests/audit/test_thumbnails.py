from __future__ import annotations

import numpy as np

from campro.audit.thumbnails import colour_chart


def test_the_colour_chart_has_the_full_range():
    chart = colour_chart()
    assert chart.shape == (6 * 24, 12 * 24, 3)
    assert {0, 255} <= set(np.unique(chart))

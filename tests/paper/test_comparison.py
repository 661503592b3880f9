"""Numbers beside those of the paper: intervals, reasons, texts."""

from __future__ import annotations

import pytest

from campro.metrics.rates import Rate, Ratio
from campro.paper.comparison import Comparison, Estimate
from campro.paper.paper_page import INSIDE, UNRECORDED, comparison_table, why


@pytest.mark.parametrize(
    ("paper", "here", "differs", "reason"),
    [
        (None, Estimate(50.0, 40.0, 60.0), False, UNRECORDED),
        (45.0, Estimate(50.0, 40.0, 60.0), False, INSIDE),
        (40.0, Estimate(50.0, 40.0, 60.0), False, INSIDE),
        (39.9, Estimate(50.0, 40.0, 60.0), True, "because"),
        (39.9, Estimate(50.0), False, "because"),
        (45.0, None, False, "–"),
    ],
)
def test_the_reason_is_given_where_the_published_number_is_outside_the_interval(paper, here, differs, reason):
    row = Comparison("captured", "AP kept", "%", paper, here, "because")
    assert (row.differs, why(row)) == (differs, reason)


def test_estimates_of_rates_and_ratios_are_in_per_cent():
    assert Estimate.of(Rate(0.25, 0.125, 0.5, 8)) == Estimate(25.0, 12.5, 50.0)
    assert Estimate.of(Ratio(1.5, 1.25, 1.75)) == Estimate(150.0, 125.0, 175.0)
    assert Estimate.of(None) is None


def test_texts_of_a_row():
    rows = (
        Comparison("captured", "AP kept", "%", 82.0, Estimate(50.04, 40.0, 60.0), "because"),
        Comparison("captured", "SSIM", "1", None, Estimate(-0.0001)),
    )
    table = comparison_table(rows)
    assert table.rows[0] == ("captured", "AP kept, %", "82.0", "50.0 [40.0, 60.0]", "because")
    assert table.rows[1] == ("captured", "SSIM", "–", "0.000", UNRECORDED)

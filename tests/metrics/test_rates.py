from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.metrics.rates import Rate, wilson


@given(st.integers(1, 3000), st.floats(0, 1))
def test_wilson_agrees_with_scipy(probes, share):
    from scipy.stats import binomtest  # slow to import

    hits = round(share * probes)
    ours = wilson(hits, probes, z=1.959963984540054)
    theirs = binomtest(hits, probes).proportion_ci(method="wilson")
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert ours[0] <= hits / probes <= ours[1]


def test_wilson_refuses_nonsense():
    with pytest.raises(CamproError):
        wilson(3, 2)
    with pytest.raises(CamproError):
        wilson(0, 0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.1, 1.1])
def test_a_rate_is_a_finite_share(bad):
    with pytest.raises(CamproError, match="rate"):
        Rate(bad, 0.0, 1.0, 10)


def test_the_complement_swaps_the_ends():
    assert Rate(0.25, 0.125, 0.5, 8, 0.0).complement == Rate(0.75, 0.5, 0.875, 8, 0.0)
    assert Rate.of_counts(3, 12) == Rate(0.25, *wilson(3, 12), 12)

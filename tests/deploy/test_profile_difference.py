"""Differences over all colours, by hand."""

from __future__ import annotations

from campro.deploy.profile_difference import Difference, difference
from campro.isp import load_profile


def test_equal_profiles_do_not_differ():
    assert difference(load_profile("identity"), load_profile("identity")) == Difference(0, 0.0)


def test_black_against_identity():
    """The largest level is 255, the mean of all levels 127.5."""
    assert difference(load_profile("identity"), load_profile("black")) == Difference(255, 127.5)

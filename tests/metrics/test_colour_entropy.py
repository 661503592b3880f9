"""Entropies of colours, against sums by hand."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from campro.metrics.colour_entropy import colour_entropy, entropy, fano_bound


def test_a_profile_that_joins_colours_leaves_them_unknown():
    """Weights 4, 2, 1, 1: H(raw) = 1.75. Captured 6 and 2 of 8: H = 0.75 log2(4/3) + 0.25 * 2."""
    found = colour_entropy(np.array([7, 7, 3, 3], np.uint32), np.array([4.0, 2, 1, 1]))
    assert found.raw == pytest.approx(1.75)
    assert found.captured == pytest.approx(0.75 * log2(4 / 3) + 0.5)
    within = 0.75 * (2 / 3 * log2(3 / 2) + 1 / 3 * log2(3)) + 0.25 * 1.0  # mean entropy of each pair of raw colours
    assert found.unknown == pytest.approx(within)


def test_a_permutation_leaves_nothing_unknown():
    rng = np.random.default_rng(0)
    assert colour_entropy(rng.permutation(64).astype(np.uint32), rng.random(64)).unknown == pytest.approx(0, abs=1e-9)


def test_one_colour_holds_nothing():
    found = colour_entropy(np.zeros(8, np.uint32), np.ones(8))
    assert (found.raw, found.captured, found.unknown) == (3.0, 0.0, 3.0)
    assert entropy(np.array([5.0])) == 0.0


def test_fano_bound_is_at_most_one():
    assert fano_bound(0.0, 1024) == pytest.approx(0.1)
    assert fano_bound(1e6, 1024) == 1.0

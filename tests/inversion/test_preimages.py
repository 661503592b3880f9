"""Preimages, compared with a search through all 2^24 raw colours."""

from __future__ import annotations

import numpy as np
import pytest

from campro.inversion.inverse import BINS, Inverse
from campro.inversion.preimages import GROUP_RADIUS, MORTON, STEPS_PER_HALVING, Preimages, morton_index
from campro.isp import Camera, load_profile
from campro.isp.lookup import colour_table

PROFILE = load_profile("campro-default")
PRIOR = np.random.default_rng(0).uniform(0.1, 1, BINS)
RAW = np.random.default_rng(1).integers(0, 256, (8, 5, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def preimages():
    return Preimages.of(PROFILE, PRIOR)


def of(preimages, colour):
    """The preimages of a captured colour (n, 3), and their relative likelihoods."""
    index = int(morton_index(colour, *MORTON))
    entries = preimages.entries[preimages.starts[index] : preimages.starts[index + 1]]
    raw = np.stack([entries >> 16 & 255, entries >> 8 & 255, entries & 255], 1).astype(int)
    return raw, np.exp2(-(entries >> 24).astype(float) / STEPS_PER_HALVING)


@pytest.mark.slow
def test_an_invertible_profile_has_one_preimage_for_each_colour():
    invert = load_profile("invert")
    found = Preimages.of(invert, PRIOR)
    assert len(found.entries) == 1 << 24
    for colour in Camera(invert)(RAW).reshape(-1, 3):
        np.testing.assert_array_equal(of(found, colour)[0], [255 - colour.astype(int)])


@pytest.mark.slow
def test_every_raw_colour_is_near_a_preimage_and_every_preimage_near_a_raw_colour(preimages):
    table = colour_table(PROFILE.blocks)
    for colour in Camera(PROFILE)(RAW).reshape(-1, 3)[:12]:
        red, green, blue = colour.tolist()
        behind = np.flatnonzero(table == (red << 16 | green << 8 | blue))
        behind = np.stack([behind >> 16, behind >> 8 & 255, behind & 255], 1)
        found, _ = of(preimages, colour)
        distance = np.abs(behind[:, None] - found[None]).max(2)
        assert distance.min(1).max() <= 2 * GROUP_RADIUS
        assert distance.min(0).max() <= GROUP_RADIUS


@pytest.mark.slow
def test_the_weighted_mean_of_the_preimages_is_the_inverse(preimages):
    captured = Camera(PROFILE)(RAW)
    wanted = Inverse(PROFILE, PRIOR)(captured).reshape(-1, 3)
    for colour, mean in zip(captured.reshape(-1, 3), wanted):
        raw, likelihood = of(preimages, colour)
        assert likelihood.max() == 1
        # stored likelihoods are rounded to steps of 9 %
        np.testing.assert_allclose(likelihood @ raw / likelihood.sum(), mean, atol=4)


@pytest.mark.slow
def test_a_colour_that_is_not_reachable_has_no_preimages():
    black = Preimages.of(load_profile("black"), PRIOR)
    assert len(of(black, (0, 0, 0))[0]) > 0
    assert len(of(black, (255, 255, 255))[0]) == 0

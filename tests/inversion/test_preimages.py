"""Raw colours behind a captured one, against all 2^24 looked through."""

from __future__ import annotations

import numpy as np
import pytest

from campro.inversion.inverse import CELLS, Inverse
from campro.inversion.preimages import INTERLEAVED, NEAR, OCTAVE, Preimages, index_of
from campro.isp import Camera, load_profile
from campro.isp.lookup import colour_table

PROFILE = load_profile("campro-default")
PRIOR = np.random.default_rng(0).uniform(0.1, 1, CELLS)
RAW = np.random.default_rng(1).integers(0, 256, (8, 5, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def preimages():
    return Preimages.of(PROFILE, PRIOR)


def of(preimages, colour):
    """Raw colours and their likelihoods."""
    index = int(index_of(colour, *INTERLEAVED))
    entries = preimages.entries[preimages.starts[index] : preimages.starts[index + 1]]
    raw = np.stack([entries >> 16 & 255, entries >> 8 & 255, entries & 255], 1).astype(int)
    return raw, np.exp2(-(entries >> 24).astype(float) / OCTAVE)


def test_the_inverse_of_what_loses_nothing_is_one_colour():
    negative = load_profile("invert")
    found = Preimages.of(negative, PRIOR)
    assert len(found.entries) == 1 << 24
    for colour in Camera(negative)(RAW).reshape(-1, 3):
        np.testing.assert_array_equal(of(found, colour)[0], [255 - colour.astype(int)])


def test_every_raw_colour_is_near_one_of_those_of_its_captured_one(preimages):
    """And none of them is far from all."""
    table = colour_table(PROFILE.blocks)
    for colour in Camera(PROFILE)(RAW).reshape(-1, 3)[:12]:
        red, green, blue = colour.tolist()
        behind = np.flatnonzero(table == (red << 16 | green << 8 | blue))
        behind = np.stack([behind >> 16, behind >> 8 & 255, behind & 255], 1)
        found, _ = of(preimages, colour)
        apart = np.abs(behind[:, None] - found[None]).max(2)
        assert apart.min(1).max() <= 2 * NEAR
        assert apart.min(0).max() <= NEAR


def test_their_mean_is_the_inverse(preimages):
    captured = Camera(PROFILE)(RAW)
    wanted = Inverse(PROFILE, PRIOR)(captured).reshape(-1, 3)
    for colour, mean in zip(captured.reshape(-1, 3), wanted):
        raw, likely = of(preimages, colour)
        assert likely.max() == 1
        np.testing.assert_allclose(likely @ raw / likely.sum(), mean, atol=4)  # weights are rounded to a twelfth

"""Image filters keep shape and type; the simple ones by hand."""

from __future__ import annotations

import numpy as np
import pytest

from campro.attacks.filters import FILTERS, invert, principal_component, stretch

BY_NAME = {one.name: one for one in FILTERS}


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.name)
def test_filters_keep_the_shape(one, rgb):
    filtered = one(rgb)
    assert filtered.shape == rgb.shape
    assert filtered.dtype == np.uint8
    assert one(np.full_like(rgb, 7)).shape == rgb.shape  # a constant picture has no contrast to stretch


def test_filters_by_hand(rgb):
    np.testing.assert_array_equal(BY_NAME["red channel, inverted"](rgb)[..., 2], 255 - rgb[..., 0])
    np.testing.assert_array_equal(invert(invert(rgb)), rgb)
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(4, 0).repeat(3, 2)
    levels = principal_component(ramp)[0, :, 0].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert (levels[0], levels[-1]) == (0, 255)


def test_auto_contrast_clips_a_hundredth_at_either_end():
    plane = np.repeat(np.arange(50, 151, dtype=np.uint8), 10).reshape(1, -1)
    stretched = stretch(plane)
    assert (stretched.min(), stretched.max()) == (0, 255)
    assert 0.01 <= (stretched == 0).mean() < 0.03


def test_digests_are_those_of_cached_embeddings():
    """Renaming a filter must not invalidate a cache: digests are the names of the first version."""
    digests = {one.digest for one in FILTERS}
    assert {"grey", "invert, grey", "equalise", "principal grey", "red", "blue, inverted", "gamma 0.4"} < digests
    assert len(digests) == len(FILTERS)

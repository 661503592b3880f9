"""Preimage selection on pictures whose raw colours are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st

from campro.inversion.cell_grid import CELL
from campro.inversion.inverse import BINS, Inverse
from campro.inversion.preimage_selection import PreimageSelector
from campro.inversion.preimages import Preimages
from campro.inversion.semiglobal import select_semiglobally
from campro.isp import Camera, load_profile

PROFILE = load_profile("campro-default")
UNIFORM = np.full(BINS, 1 / BINS)


@pytest.fixture(scope="module")
def inverse():
    return Inverse(PROFILE, UNIFORM)


@pytest.fixture(scope="module")
def preimages():
    return Preimages.of(PROFILE, UNIFORM)


@pytest.fixture(scope="module")
def select(preimages):
    return PreimageSelector(preimages)


def cell_map_of(raw, mask=1.0):
    """The cell map without errors: a constant mask and the true means."""
    height, width = (-(-side // 64) * 64 for side in raw.shape[:2])
    whole = cv2.copyMakeBorder(raw, 0, height - len(raw), 0, width - raw.shape[1], cv2.BORDER_REPLICATE)
    cells = cv2.resize(whole, (width // CELL, height // CELL), interpolation=cv2.INTER_AREA) / np.float32(255)
    means = cells.transpose(2, 0, 1)
    return np.concatenate([np.full_like(means[:1], mask), means])


def mean_error(found, raw):
    return np.abs(found.astype(int) - raw).mean()


@pytest.mark.slow
def test_selection_halves_the_error_of_the_posterior_mean(inverse, select):
    raw = np.ascontiguousarray(skimage.data.astronaut()[:250, 130:430])
    captured = Camera(PROFILE)(raw)
    recoloured, ambiguity = inverse.with_ambiguity(captured)
    found = select(captured, recoloured, ambiguity, cell_map_of(raw))
    assert mean_error(found, raw) < mean_error(recoloured, raw) / 2
    np.testing.assert_array_equal(found[ambiguity == 0], recoloured[ambiguity == 0])
    np.testing.assert_array_equal(select(captured, recoloured, ambiguity, cell_map_of(raw), recoloured.copy()), found)


@pytest.mark.slow
def test_a_region_with_wrong_means_is_corrected_by_its_surroundings(inverse, preimages, select):
    """A smooth wall with a region of wrong means: its pixels alone would get wrong preimages."""
    y, x = np.mgrid[:160, :200]
    raw = np.stack([120 + x / 16, 100 + y / 16, 60 + x / 32], 2).round().astype(np.uint8)
    captured, region = Camera(PROFILE)(raw), (slice(40, 88), slice(80, 128))
    recoloured, ambiguity = inverse.with_ambiguity(captured)
    cell_map = cell_map_of(raw)
    cell_map[1:4, 5:11, 10:16] += np.array([0.0, -0.1, 0.2], np.float32)[:, None, None]
    found = select(captured, recoloured, ambiguity, cell_map)
    means = np.full((1, 1, 3), 255 * cell_map[1:4, 7, 12], np.float32)
    pixels = [
        (slice(row, row + 1), slice(column, column + 1)) for row in range(40, 88, 8) for column in range(80, 128, 8)
    ]
    alone = [select_semiglobally(captured[at], recoloured[at], ambiguity[at], means, preimages) for at in pixels]
    assert np.mean([mean_error(colour, raw[at]) for colour, at in zip(alone, pixels)]) > 5
    assert mean_error(found[region], raw[region]) < 1


def test_the_result_is_multiplied_by_the_mask(inverse, select):
    raw = np.ascontiguousarray(skimage.data.astronaut()[:64, :64])
    captured = Camera(PROFILE)(raw)
    whole, half, none = (
        select(captured, *inverse.with_ambiguity(captured), cell_map_of(raw, mask)) for mask in (1.0, 0.5, 0.0)
    )
    assert not none.any()
    np.testing.assert_array_equal(half, (whole.astype(int) + 1) // 2)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**16))
@pytest.mark.slow
def test_pictures_may_have_any_size(preimages_of, height, width, seed):
    """One captured colour with two preimages: every pixel gets the one near the mean of its cell."""
    captured = np.full((height, width, 3), seed % 256, np.uint8)
    select = PreimageSelector(preimages_of({tuple(captured[0, 0]): [[40, 50, 60], [200, 50, 60]]}))
    cell_map = np.zeros((7, 8, 8), np.float32)
    cell_map[0], cell_map[1:4] = 1, np.array([190, 55, 65])[:, None, None] / 255
    found = select(captured, np.full_like(captured, 120), np.full((height, width), 63, np.uint8), cell_map)
    assert np.abs(found - np.array([200.0, 50, 60])).max() <= 1

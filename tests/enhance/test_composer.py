"""Composition of enhanced pictures, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from campro.enhance.composer import OFFSET_SMOOTHING, Composer

NO_RESIDUAL = np.zeros((2, 2, 2), np.float32)
GREY = np.full((64, 64, 3), 100, np.uint8)


def cell_map_of(mask, mean, ambiguity):
    """A constant cell map of a picture of 64 x 64 pixels."""
    cell_map = np.empty((7, 8, 8), np.float32)
    cell_map[0], cell_map[1:4], cell_map[4:] = mask, mean / 255, ambiguity
    return cell_map


@pytest.mark.slow
def test_the_mask_multiplies_the_picture():
    found = Composer(NO_RESIDUAL)(GREY, np.zeros((64, 64), np.uint8), cell_map_of(0.25, 100, 0))
    np.testing.assert_array_equal(found, GREY // 4)


def test_the_error_of_a_cell_is_added_to_its_ambiguous_pixels():
    """Half of the pixels of each cell are ambiguous in red; 10 levels are missing in the mean of red."""
    ambiguity = np.zeros((64, 64), np.uint8)
    ambiguity[::2] = 3
    cell_map = cell_map_of(1, 100, 0)
    cell_map[1], cell_map[4] = 110 / 255, 0.5
    found = Composer(NO_RESIDUAL)(GREY, ambiguity, cell_map)
    np.testing.assert_array_equal(found[1::2], GREY[1::2])
    np.testing.assert_array_equal(found[..., 1:], GREY[..., 1:])
    added = 10 * (1 + OFFSET_SMOOTHING) / (0.5 + OFFSET_SMOOTHING)
    np.testing.assert_allclose(found[::2, :, 0], 100 + added, atol=0.51)


def test_the_residual_lut_is_read_at_the_deviations_from_the_cell():
    """A LUT of own deviation minus mean deviation of the others: red deviates by 20, green and blue by 0."""
    own = np.linspace(-0.5, 0.5, 33, dtype=np.float32)
    residual_lut = np.broadcast_to(own - own[:, None], (33, 33, 33)).copy()
    picture = GREY.copy()
    picture[..., 0] += 20
    found = Composer(residual_lut)(picture, np.zeros((64, 64), np.uint8), cell_map_of(1, 100, 0))
    wanted = np.broadcast_to([120 + 20, 100 - 10, 100 - 10], found.shape)
    np.testing.assert_allclose(found, wanted, atol=2)  # the others' deviation is tabulated in steps of 4 levels


def test_the_result_may_overwrite_the_recoloured_picture():
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    ambiguity, cell_map = np.full((64, 64), 0b100111, np.uint8), cell_map_of(0.8, 90, 0.4)
    wanted = Composer(NO_RESIDUAL)(picture, ambiguity, cell_map)
    out = picture.copy()
    assert Composer(NO_RESIDUAL)(out, ambiguity, cell_map, out) is out
    np.testing.assert_array_equal(out, wanted)

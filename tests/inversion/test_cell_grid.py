"""The grid of cells: features by hand, and interpolation against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campro.inversion import cell_grid
from campro.inversion.cell_grid import (
    CELL,
    MIN_WEIGHT,
    MULTIPLE,
    VARIANCE_FLOOR,
    cell_features,
    cell_moments,
    certainty_weight,
    downscale_factor,
    downscaled,
    padded_size,
    pixel_positions,
    to_level,
    upsampled_columns,
)


def test_cell_features_equal_values_computed_by_hand():
    """A cell of two colours, half and half: their mean, and half their difference; one half has ambiguity class 3."""
    captured, recoloured = np.zeros((2, 8, 8, 3), np.uint8)
    captured[:4], recoloured[4:] = 153, 204
    ambiguity = np.zeros((8, 8), np.uint8)
    ambiguity[:4] = 0b111111
    certain = 0.8 * (1 + MIN_WEIGHT) / (1 + 2 * MIN_WEIGHT)
    wanted = [0.3, (0.3**2 + VARIANCE_FLOOR) ** 0.5, 0.4, (0.4**2 + VARIANCE_FLOOR) ** 0.5, 0.5, certain]
    np.testing.assert_allclose(cell_features(captured, recoloured, ambiguity)[0, ::3, 0, 0], wanted, rtol=1e-5)


def test_padded_cells_repeat_the_border_of_the_picture():
    rgb = np.random.default_rng(0).integers(0, 256, (CELL, CELL, 3), np.uint8)
    found = cell_moments(rgb)
    assert found.shape == (6, MULTIPLE // CELL, MULTIPLE // CELL)
    np.testing.assert_allclose(found[:3, 1, 1], rgb[-1, -1] / 255, rtol=1e-6)
    np.testing.assert_allclose(found[3:, 1, 1], VARIANCE_FLOOR**0.5, rtol=1e-5)


@pytest.mark.parametrize(("size", "wanted"), [((1, 64), (64, 64)), ((65, 128), (128, 128)), ((64, 192), (64, 192))])
def test_padded_sizes_are_multiples(size, wanted):
    assert padded_size(np.empty((*size, 3)), 64) == wanted


def test_the_weight_of_a_pixel_falls_with_its_ambiguity_and_stays_positive():
    weights = certainty_weight(np.linspace(0, 1, 4))
    assert weights[0] == pytest.approx(1 + MIN_WEIGHT)
    assert weights[-1] == pytest.approx(MIN_WEIGHT)
    assert (np.diff(weights) < 0).all()


def test_only_pictures_with_more_than_720_lines_are_downscaled():
    small, large = np.zeros((720, 2000, 3), np.uint8), np.zeros((1440, 1500, 3), np.uint8)
    assert downscaled(small) is small
    assert downscale_factor(large) == 2
    assert downscaled(large).shape == (720, 750, 3)


def test_ambiguity_codes_are_sampled_and_not_interpolated(monkeypatch):
    monkeypatch.setattr(cell_grid, "MAX_LINES", 5)
    codes = np.random.default_rng(0).choice(np.array([0, 63], np.uint8), (12, 13))
    assert set(np.unique(downscaled(codes))) <= {0, 63}


@given(st.integers(1, 200), st.floats(1, 30), st.integers(0, 2**16))
def test_interpolation_between_cells_equals_numpy(pixels, side, seed):
    cells = int(np.ceil(pixels / side)) + 1
    values = np.random.default_rng(seed).random((1, 1, cells)).astype(np.float32)
    found = upsampled_columns(values, pixel_positions(pixels, cells, side))
    centres = (np.arange(cells) + 0.5) * side
    np.testing.assert_allclose(found[0, 0], np.interp(np.arange(pixels) + 0.5, centres, values[0, 0]), atol=1e-4)


@pytest.mark.parametrize(("value", "wanted"), [(-3, 0), (0.49, 0), (0.5, 1), (254.5, 255), (300, 255)])
def test_levels_are_rounded_half_up_and_clipped(value, wanted):
    assert to_level.py_func(np.float32(value)) == wanted

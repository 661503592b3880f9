"""Composition of the enhanced picture from the recoloured picture and the cell map, by kernels on 8-bit pictures.

The same computation as `campro.enhance.fast_enhancer.FastEnhancer.forward`, but with rounding to levels in between:

    corrected = recoloured + residual LUT(deviation of the pixel from its cell's mean, ambiguity)
    enhanced  = mask * (corrected + ambiguity * offset of the cell)

Figures of cells are interpolated bilinearly between the centres of cells.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from numba import prange

from campro.core.kernels import njit
from campro.core.types import Rgb8
from campro.enhance.lut_kernels import resampled
from campro.inversion.cell_grid import (
    CELL,
    LEVELS,
    MAX_LINES,
    cell_moments,
    downscale_factor,
    downscaled,
    pixel_positions,
    to_level,
    upsampled_columns,
)
from campro.inversion.inverse import AMBIGUITY_THRESHOLDS

MIDDLE = (LEVELS - 1) / 2
CLASSES = np.linspace(0, LEVELS - 1, len(AMBIGUITY_THRESHOLDS) + 1)
"""Positions of the four ambiguity classes along the first axis of the residual LUT, in levels."""
OWN = np.arange(1 - LEVELS, LEVELS)
"""Deviations of the corrected channel from the mean of its cell, in levels: one entry each in the tabulated LUT."""
SUM_SHIFT = 3
"""The sum of the deviations of the two other channels is tabulated for every 2^SUM_SHIFT-th level."""
OTHERS = (np.arange(-2 * LEVELS, 2 * LEVELS, 1 << SUM_SHIFT) + ((1 << SUM_SHIFT) - 1) / 2) / 2
"""Mean deviations of the two other channels in the tabulated LUT, in levels."""
FIXED_POINT = 128
"""Corrections are stored as 16-bit integers in units of 1 / FIXED_POINT levels."""
COMPOSER_SETTINGS = (MAX_LINES, SUM_SHIFT, FIXED_POINT)
"""All settings beside an enhancer's file that change the result; part of its digest."""
OFFSET_SMOOTHING = 0.15
"""Added to the mean ambiguity of a cell before the cell's error is divided by it, so that a few ambiguous pixels do not
get the whole error of a cell, which itself may be estimated wrongly."""


class Composer:
    """Enhances recoloured pictures that are not unprocessed camera output (see `campro.enhance.recolouring`)."""

    def __init__(self, residual_lut: Float32[np.ndarray, "n n n"]) -> None:
        """`residual_lut[ambiguity, others, own]` as in `FastEnhancer`, in [-1, 1]."""
        # It is tabulated at all integer inputs: a pixel reads one value instead of eight nodes. Less than 1 % of the
        # values differ by more than one level from interpolation.
        for axis, levels in enumerate((CLASSES, MIDDLE + OTHERS, MIDDLE + OWN)):
            residual_lut = resampled(residual_lut, levels, axis)
        levels = (LEVELS - 1) * residual_lut.clip(-1, 1)
        self._corrections = (FIXED_POINT * levels).round().astype(np.int16).ravel()

    def __call__(
        self,
        recoloured: Rgb8,
        ambiguity: UInt8[np.ndarray, "H W"],
        cell_map: Float32[np.ndarray, "7 h w"],
        out: Rgb8 | None = None,
    ) -> Rgb8:
        """The enhanced picture.

        Args:
            recoloured: the captured picture after the colour LUT.
            ambiguity: ambiguity code of every pixel.
            cell_map: of the `downscaled` picture, in [0, 1]: mask, mean colour (3), mean ambiguity class (3).
            out: memory for the result; may be `recoloured`, which saves half of the time.
        """
        out = np.empty_like(recoloured) if out is None else out
        side = CELL * downscale_factor(recoloured)
        sizes = zip(recoloured.shape, cell_map.shape[1:])
        rows, columns = (pixel_positions(pixels, cells, side) for pixels, cells in sizes)
        mask, means, mean_ambiguity = cell_map[:1], (LEVELS - 1) * cell_map[1:4], cell_map[4:]
        wide_means = upsampled_columns(means.clip(0, LEVELS - 1), columns)
        _correct(np.ascontiguousarray(recoloured), ambiguity, wide_means, self._corrections, *rows, out)
        error = means - (LEVELS - 1) * cell_moments(downscaled(out))[:3]
        offset = error * (1 + OFFSET_SMOOTHING) / (mean_ambiguity + OFFSET_SMOOTHING)
        wide = upsampled_columns(np.concatenate([mask, offset / len(AMBIGUITY_THRESHOLDS)]), columns)
        _add_offset_and_mask(out, ambiguity, wide, *rows, out)
        return out


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _correct(recoloured, ambiguity, means, corrections, tops, fractions, out):
    """Add the residual LUT. Unrolled over channels, with indices that cannot be negative: half of the time."""
    height, width = recoloured.shape[:2]
    bottom = means.shape[0] - 1
    for y in prange(height):
        above, below = means[tops[y]], means[min(tops[y] + 1, bottom)]
        line = above + (below - above) * fractions[y]
        for x in range(width):
            code = np.int32(ambiguity[y, x])
            red = recoloured[y, x, 0] - _rounded(line[0, x])
            green = recoloured[y, x, 1] - _rounded(line[1, x])
            blue = recoloured[y, x, 2] - _rounded(line[2, x])
            out[y, x, 0] = to_level(recoloured[y, x, 0] + _correction(corrections, code & 3, red, green + blue))
            out[y, x, 1] = to_level(recoloured[y, x, 1] + _correction(corrections, (code >> 2) & 3, green, red + blue))
            out[y, x, 2] = to_level(recoloured[y, x, 2] + _correction(corrections, code >> 4, blue, red + green))


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _add_offset_and_mask(corrected, ambiguity, maps, tops, fractions, out):
    height, width = corrected.shape[:2]
    bottom = maps.shape[0] - 1
    for y in prange(height):
        above, below = maps[tops[y]], maps[min(tops[y] + 1, bottom)]
        line = above + (below - above) * fractions[y]
        for x in range(width):
            mask, code = line[0, x], np.int32(ambiguity[y, x])
            out[y, x, 0] = to_level(mask * (corrected[y, x, 0] + (code & 3) * line[1, x]))
            out[y, x, 1] = to_level(mask * (corrected[y, x, 1] + ((code >> 2) & 3) * line[2, x]))
            out[y, x, 2] = to_level(mask * (corrected[y, x, 2] + (code >> 4) * line[3, x]))


@njit(inline="always")
def _correction(corrections, ambiguity_class, own, others):
    """One value of the tabulated LUT, in levels; `others` is the sum of the deviations of the two other channels.

    `own` is the fastest index: neighbouring pixels, whose deviations are similar, share cache lines.
    """
    place = ambiguity_class * len(OTHERS) + ((others + 2 * LEVELS) >> SUM_SHIFT)
    index = np.uintp(place * len(OWN) + own + LEVELS - 1)
    return corrections[index] * np.float32(1 / FIXED_POINT)


@njit(inline="always")
def _rounded(value):
    return np.int32(value + np.float32(0.5))

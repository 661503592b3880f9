"""What of the fast enhancer touches every pixel of an 8-bit picture, one multi-threaded kernel each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from numba import njit, prange

from campro.core.types import Rgb8
from campro.inversion.cell_grid import (
    CELL,
    LEVELS,
    MAX_LINES,
    cell_moments,
    downscale_factor,
    downscaled,
    node_positions,
    padded_size,
    pixel_positions,
    to_level,
    upsampled_columns,
)
from campro.inversion.inverse import BITS, SPREADS

MIDDLE = (LEVELS - 1) / 2
SUM_SHIFT = 3
"""Corrections are worked out for every 8th level of the sum of what the two other channels stand out by."""
OWN = np.arange(1 - LEVELS, LEVELS)
CLASSES = np.linspace(0, LEVELS - 1, len(SPREADS) + 1)
OTHERS = (np.arange(-2 * LEVELS, 2 * LEVELS, 1 << SUM_SHIFT) + ((1 << SUM_SHIFT) - 1) / 2) / 2
FIXED = 128
"""They are kept as 16-bit integers, by so many to a level."""
SETTINGS = (MAX_LINES, SUM_SHIFT, FIXED)
"""What decides beside an enhancer's file how its pictures come out."""
EVENLY = 0.15
"""How evenly what the mean of a cell is off by is shared out, which otherwise those pixels take that may be wrong."""


def planes(rgb: Rgb8, multiple: int = 1) -> Float32[np.ndarray, "1 3 H W"]:
    """`to_tensor` and `padded` for numpy, as fast as memory: a network waits for it."""
    out = np.empty((1, 3, *padded_size(rgb, multiple)), np.float32)
    height, width, _ = rgb.shape
    _planes(np.ascontiguousarray(rgb), out[0])
    out[..., :height, width:] = out[..., :height, width - 1 : width]
    out[..., height:, :] = out[..., height - 1 : height, :]
    return out


class Table:
    """A `Lut3d` on 8-bit pictures, to a rounding step, and how far to trust it."""

    def __init__(self, values: Float32[np.ndarray, "n n n 3"], spread: UInt8[np.ndarray, " cells"]) -> None:
        """`values[b, g, r]` is the colour at a node of the cube; `spread` as in `FastEnhancer`."""
        self._low, self._part = node_positions(_positions(np.arange(LEVELS), len(values)), len(values))
        # Along red the table is worked out for all levels once, which halves the reads for every pixel.
        self._table = np.ascontiguousarray(_resampled(values, np.arange(LEVELS), 2))
        self._spread = spread

    def __call__(self, rgb: Rgb8) -> tuple[Rgb8, UInt8[np.ndarray, "H W"]]:
        out, spread = np.empty_like(rgb), np.empty(rgb.shape[:2], np.uint8)
        _look_up(np.ascontiguousarray(rgb), self._table, self._low, self._part, self._spread, out, spread)
        return out, spread


class Composer:
    """keep x (coloured + correction + spread x off), as `FastEnhancer` but rounded half up; what is
    drawn by cells is bilinear between them, with half-pixel centres.
    """

    def __init__(self, corrections: Float32[np.ndarray, "n n n"]) -> None:
        """Those of `campro.enhance.fast_enhancer.FastEnhancer`, `corrections[spread, others, own]`."""
        # Of the eight nodes around a pixel none is left to read: one number is, which is off by more than a level for
        # less than a hundredth of them.
        for axis, levels in enumerate((CLASSES, MIDDLE + OTHERS, MIDDLE + OWN)):
            corrections = _resampled(corrections, levels, axis)
        levels = (LEVELS - 1) * corrections.clip(-1, 1)
        self._flat = (FIXED * levels).round().astype(np.int16).ravel()

    def __call__(
        self,
        coloured: Rgb8,
        spread: UInt8[np.ndarray, "H W"],
        context: Float32[np.ndarray, "7 h w"],
        out: Rgb8 | None = None,
    ) -> Rgb8:
        """`context` is the map of `downscaled` pictures; `out` may be `coloured`, which saves half the time."""
        out = np.empty_like(coloured) if out is None else out
        side = CELL * downscale_factor(coloured)
        rows, columns = (
            pixel_positions(pixels, cells, side) for pixels, cells in zip(coloured.shape, context.shape[1:])
        )
        keep, means, unsure = context[:1], (LEVELS - 1) * context[1:4], context[4:]
        seen = upsampled_columns(means.clip(0, LEVELS - 1), columns)
        _correct(np.ascontiguousarray(coloured), spread, seen, self._flat, *rows, out)
        off = (means - (LEVELS - 1) * cell_moments(downscaled(out))[:3]) * (1 + EVENLY) / (unsure + EVENLY)
        _finish(out, spread, upsampled_columns(np.concatenate([keep, off / len(SPREADS)]), columns), *rows, out)
        return out


def _positions(levels: Float64[np.ndarray, " n"], nodes: int) -> Float64[np.ndarray, " n"]:
    return levels / (LEVELS - 1) * (nodes - 1)


def _resampled(values: np.ndarray, levels: Float64[np.ndarray, " n"], axis: int) -> np.ndarray:
    """A table, worked out at those levels along an axis; beyond its ends it stays as there."""
    nodes = values.shape[axis]
    low, part = node_positions(_positions(levels, nodes), nodes)
    part = part.reshape([-1 if other == axis else 1 for other in range(values.ndim)])
    return values.take(low, axis) * (1 - part) + values.take(low + 1, axis) * part


@njit(cache=True, parallel=True, nogil=True)
def _planes(rgb, out):
    for y in prange(rgb.shape[0]):
        for channel in range(3):
            for x in range(rgb.shape[1]):
                out[channel, y, x] = rgb[y, x, channel] / np.float32(255)


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _look_up(rgb, table, low, part, cells, out, spread):
    one, white, half, down = np.float32(1), np.float32(255), np.float32(0.5), 8 - BITS
    for y in prange(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            row = (np.uintp(rgb[y, x, 0] >> down) << BITS) | (rgb[y, x, 1] >> down)
            spread[y, x] = cells[(row << BITS) | (rgb[y, x, 2] >> down)]
            red, green, blue = rgb[y, x, 0], low[rgb[y, x, 1]], low[rgb[y, x, 2]]
            up_green, up_blue = part[rgb[y, x, 1]], part[rgb[y, x, 2]]
            both = up_green * up_blue
            only_green, only_blue = up_green - both, up_blue - both
            none = one - up_green - only_blue
            for channel in range(3):
                colour = (
                    none * table[blue, green, red, channel]
                    + only_green * table[blue, green + 1, red, channel]
                    + only_blue * table[blue + 1, green, red, channel]
                    + both * table[blue + 1, green + 1, red, channel]
                )
                out[y, x, channel] = np.uint8(min(max(colour * white + half, np.float32(0)), white))


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _correct(coloured, spread, means, flat, tops, downs, out):
    """Unrolled and with indices that cannot be negative: half the time."""
    height, width = coloured.shape[:2]
    bottom = means.shape[0] - 1
    for y in prange(height):
        above, below = means[tops[y]], means[min(tops[y] + 1, bottom)]
        line = above + (below - above) * downs[y]
        for x in range(width):
            code = np.int32(spread[y, x])
            red = coloured[y, x, 0] - _rounded(line[0, x])
            green = coloured[y, x, 1] - _rounded(line[1, x])
            blue = coloured[y, x, 2] - _rounded(line[2, x])
            out[y, x, 0] = to_level(coloured[y, x, 0] + _correction(flat, code & 3, red, green + blue))
            out[y, x, 1] = to_level(coloured[y, x, 1] + _correction(flat, (code >> 2) & 3, green, red + blue))
            out[y, x, 2] = to_level(coloured[y, x, 2] + _correction(flat, code >> 4, blue, red + green))


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _finish(corrected, spread, maps, tops, downs, out):
    height, width = corrected.shape[:2]
    bottom = maps.shape[0] - 1
    for y in prange(height):
        above, below = maps[tops[y]], maps[min(tops[y] + 1, bottom)]
        line = above + (below - above) * downs[y]
        for x in range(width):
            keep, code = line[0, x], np.int32(spread[y, x])
            out[y, x, 0] = to_level(keep * (corrected[y, x, 0] + (code & 3) * line[1, x]))
            out[y, x, 1] = to_level(keep * (corrected[y, x, 1] + ((code >> 2) & 3) * line[2, x]))
            out[y, x, 2] = to_level(keep * (corrected[y, x, 2] + (code >> 4) * line[3, x]))


@njit(inline="always")
def _correction(flat, kind, own, others):
    """What one channel stands out by is next to each other in memory: neighbours in a picture share cache lines."""
    place = kind * len(OTHERS) + ((others + 2 * LEVELS) >> SUM_SHIFT)
    index = np.uintp(place * len(OWN) + own + LEVELS - 1)
    return flat[index] * np.float32(1 / FIXED)


@njit(inline="always")
def _rounded(value):
    return np.int32(value + np.float32(0.5))

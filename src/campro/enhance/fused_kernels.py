"""What of the fast enhancer touches every pixel of an 8-bit picture, one multi-threaded kernel each."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8
from numba import njit, prange
from torch import Tensor

from campro.core.types import Rgb8
from campro.inversion.inverse import BITS, SPREADS

STRIDE, MULTIPLE = 8, 64
"""The map is drawn at 1 / STRIDE; its network halves three times more, so pictures are padded to MULTIPLE."""
LINES = 720
"""Networks see larger pictures shrunk to so many lines or columns: they learned from photographs of that size."""
LEVELS = 256
MIDDLE = (LEVELS - 1) / 2
SUM_SHIFT = 3
"""Corrections are worked out for every 8th level of the sum of what the two other channels stand out by."""
OWN = np.arange(1 - LEVELS, LEVELS)
CLASSES = np.linspace(0, LEVELS - 1, len(SPREADS) + 1)
OTHERS = (np.arange(-2 * LEVELS, 2 * LEVELS, 1 << SUM_SHIFT) + ((1 << SUM_SHIFT) - 1) / 2) / 2
FIXED = 128
"""They are kept as 16-bit integers, by so many to a level."""
SETTINGS = (LINES, SUM_SHIFT, FIXED)
"""What decides beside an enhancer's file how its pictures come out."""
FLOOR = 1e-4
"""Added to variances before their root, whose slope has no end at nought."""
DISTRUST, EVENLY = 0.02, 0.15
"""What a pixel counts of whose colour nothing is known, next to one that is known; and how evenly what the mean of a
cell is off by is shared out, which otherwise those pixels take that may be wrong.
"""

Places = tuple[Int64[np.ndarray, " n"], Float32[np.ndarray, " n"]]
"""Positions along an axis: the node or cell below each, and how far it is towards the next."""


def shrunk(picture: UInt8[np.ndarray, "H W *channels"]) -> UInt8[np.ndarray, "h w *channels"]:
    """What networks see of a picture: itself, or if it has more than LINES lines and columns so many of the fewer.

    Codes, without channels, are not mixed.
    """
    scale = scale_of(picture)
    size = (round(picture.shape[1] / scale), round(picture.shape[0] / scale))
    how = cv2.INTER_NEAREST if picture.ndim == 2 else cv2.INTER_LINEAR
    return picture if scale == 1 else np.asarray(cv2.resize(picture, size, interpolation=how))


def planes(rgb: Rgb8, multiple: int = 1) -> Float32[np.ndarray, "1 3 H W"]:
    """`to_tensor` and `padded` for numpy, as fast as memory: a network waits for it."""
    out = np.empty((1, 3, *_padded(rgb, multiple)), np.float32)
    height, width, _ = rgb.shape
    _planes(np.ascontiguousarray(rgb), out[0])
    out[..., :height, width:] = out[..., :height, width - 1 : width]
    out[..., height:, :] = out[..., height - 1 : height, :]
    return out


Spread = TypeVar("Spread", np.ndarray, Tensor)


def trust(spread: Spread) -> Spread:
    """What a pixel counts in the mean of its cell, by the class of its spread, 0 to 1."""
    return (1 - spread) ** 3 + DISTRUST


class Table:
    """A `Lut3d` on 8-bit pictures, to a rounding step, and how far to trust it."""

    def __init__(self, values: Float32[np.ndarray, "n n n 3"], spread: UInt8[np.ndarray, " cells"]) -> None:
        """`values[b, g, r]` is the colour at a node of the cube; `spread` as in `FastEnhancer`."""
        self._low, self._part = _cells(_positions(np.arange(LEVELS), len(values)), len(values))
        # Along red the table is worked out for all levels once, which halves the reads for every pixel.
        self._table = np.ascontiguousarray(_resampled(values, np.arange(LEVELS), 2))
        self._spread = spread

    def __call__(self, rgb: Rgb8) -> tuple[Rgb8, UInt8[np.ndarray, "H W"]]:
        out, spread = np.empty_like(rgb), np.empty(rgb.shape[:2], np.uint8)
        _look_up(np.ascontiguousarray(rgb), self._table, self._low, self._part, self._spread, out, spread)
        return out, spread


def statistics(captured: Rgb8, coloured: Rgb8, spread: UInt8[np.ndarray, "H W"]) -> Float32[np.ndarray, "1 18 h w"]:
    """`campro.enhance.fast_enhancer.statistics` of one picture."""
    height, width = _padded(captured, MULTIPLE)
    trusted = np.empty((6, height // STRIDE, width // STRIDE), np.float32)
    _trusted(np.ascontiguousarray(coloured), spread, TRUST, trusted)
    return np.concatenate([cells_of(captured), cells_of(coloured), trusted])[None]


def cells_of(rgb: Rgb8) -> Float32[np.ndarray, "6 h w"]:
    """Mean and standard deviation of every cell of a picture, and of those that pad it."""
    height, width = _padded(rgb, MULTIPLE)
    out = np.empty((6, height // STRIDE, width // STRIDE), np.float32)
    _statistics(np.ascontiguousarray(rgb), out)
    return out


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
        """`context` is the map of `shrunk` pictures; `out` may be `coloured`: new memory costs as much as the rest."""
        out = np.empty_like(coloured) if out is None else out
        side = STRIDE * scale_of(coloured)
        rows, columns = (upscaled(pixels, cells, side) for pixels, cells in zip(coloured.shape, context.shape[1:]))
        keep, means, unsure = context[:1], (LEVELS - 1) * context[1:4], context[4:]
        seen = widened(means.clip(0, LEVELS - 1), columns)
        _correct(np.ascontiguousarray(coloured), spread, seen, self._flat, *rows, out)
        off = (means - (LEVELS - 1) * cells_of(shrunk(out))[:3]) * (1 + EVENLY) / (unsure + EVENLY)
        _finish(out, spread, widened(np.concatenate([keep, off / len(SPREADS)]), columns), *rows, out)
        return out


def scale_of(picture: np.ndarray) -> float:
    """How much larger a picture is than what networks see of it; never less than 1."""
    return max(1.0, min(picture.shape[:2]) / LINES)


def _padded(rgb: Rgb8, multiple: int) -> tuple[int, int]:
    height, width, _ = rgb.shape
    return -(-height // multiple) * multiple, -(-width // multiple) * multiple


def _cells(positions: Float32[np.ndarray, " n"], count: int) -> Places:
    """Of each position, cut at the borders: the node below, and how far it is towards the next."""
    inside = positions.clip(0, count - 1)
    low = np.minimum(inside.astype(np.int64), max(count - 2, 0))
    return low, (inside - low).astype(np.float32)


def _positions(levels: Float64[np.ndarray, " n"], nodes: int) -> Float64[np.ndarray, " n"]:
    return levels / (LEVELS - 1) * (nodes - 1)


def _resampled(values: np.ndarray, levels: Float64[np.ndarray, " n"], axis: int) -> np.ndarray:
    """A table, worked out at those levels along an axis; beyond its ends it stays as there."""
    nodes = values.shape[axis]
    low, part = _cells(_positions(levels, nodes), nodes)
    part = part.reshape([-1 if other == axis else 1 for other in range(values.ndim)])
    return values.take(low, axis) * (1 - part) + values.take(low + 1, axis) * part


def upscaled(pixels: int, cells: int, side: float) -> Places:
    """Where each pixel is between cells of that side."""
    return _cells((np.arange(pixels) + 0.5) / side - 0.5, cells)


def widened(maps: Float32[np.ndarray, "c h w"], columns: Places) -> Float32[np.ndarray, "h c W"]:
    """Every line of a map at the width of its picture: once, and not again for each line of pixels."""
    out = np.empty((maps.shape[1], len(maps), len(columns[0])), np.float32)
    _widen(maps, *columns, out)
    return out


TRUST = trust(np.linspace(0, 1, len(SPREADS) + 1, dtype=np.float32))


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


@njit(cache=True, parallel=True, nogil=True)
def _statistics(rgb, out):
    """Cells beyond the picture repeat its border."""
    height, width = rgb.shape[:2]
    count, level = np.float32(STRIDE * STRIDE), np.float32(1 / 255)
    for row in prange(out.shape[1]):
        for column in range(out.shape[2]):
            for channel in range(3):
                total = square = 0
                for y in range(row * STRIDE, row * STRIDE + STRIDE):
                    for x in range(column * STRIDE, column * STRIDE + STRIDE):
                        value = np.int64(rgb[min(y, height - 1), min(x, width - 1), channel])
                        total += value
                        square += value * value
                mean = total / count
                out[channel, row, column] = mean * level
                variance = (square / count - mean * mean) * level * level
                out[3 + channel, row, column] = np.sqrt(max(variance, 0.0) + FLOOR)


@njit(cache=True, parallel=True, nogil=True)
def _trusted(rgb, spread, trust, out):
    """Of each cell the mean class of spread, up to 1, and the mean colour weighed by trust."""
    height, width = rgb.shape[:2]
    count, level = np.float32(3 * STRIDE * STRIDE), np.float32(1 / 255)
    for row in prange(out.shape[1]):
        for column in range(out.shape[2]):
            for channel in range(3):
                classes, weights, colours = 0, np.float32(0), np.float32(0)
                for y in range(row * STRIDE, row * STRIDE + STRIDE):
                    for x in range(column * STRIDE, column * STRIDE + STRIDE):
                        line, pixel = min(y, height - 1), min(x, width - 1)
                        kind = (spread[line, pixel] >> (2 * channel)) & 3
                        classes += kind
                        weights += trust[kind]
                        colours += trust[kind] * rgb[line, pixel, channel]
                out[channel, row, column] = classes / count
                out[3 + channel, row, column] = colours / weights * level


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _widen(maps, lefts, overs, out):
    end = maps.shape[2] - 1
    for row in prange(maps.shape[1]):
        for channel in range(maps.shape[0]):
            for x in range(len(lefts)):
                left, right = maps[channel, row, lefts[x]], maps[channel, row, min(lefts[x] + 1, end)]
                out[row, channel, x] = left + (right - left) * overs[x]


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
            out[y, x, 0] = level(coloured[y, x, 0] + _correction(flat, code & 3, red, green + blue))
            out[y, x, 1] = level(coloured[y, x, 1] + _correction(flat, (code >> 2) & 3, green, red + blue))
            out[y, x, 2] = level(coloured[y, x, 2] + _correction(flat, code >> 4, blue, red + green))


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _finish(corrected, spread, maps, tops, downs, out):
    height, width = corrected.shape[:2]
    bottom = maps.shape[0] - 1
    for y in prange(height):
        above, below = maps[tops[y]], maps[min(tops[y] + 1, bottom)]
        line = above + (below - above) * downs[y]
        for x in range(width):
            keep, code = line[0, x], np.int32(spread[y, x])
            out[y, x, 0] = level(keep * (corrected[y, x, 0] + (code & 3) * line[1, x]))
            out[y, x, 1] = level(keep * (corrected[y, x, 1] + ((code >> 2) & 3) * line[2, x]))
            out[y, x, 2] = level(keep * (corrected[y, x, 2] + (code >> 4) * line[3, x]))


@njit(inline="always")
def _correction(flat, kind, own, others):
    """What one channel stands out by is next to each other in memory: neighbours in a picture share cache lines."""
    place = kind * len(OTHERS) + ((others + 2 * LEVELS) >> SUM_SHIFT)
    index = np.uintp(place * len(OWN) + own + LEVELS - 1)
    return flat[index] * np.float32(1 / FIXED)


@njit(inline="always")
def _rounded(value):
    return np.int32(value + np.float32(0.5))


@njit(inline="always")
def level(value):
    """A level, rounded half up."""
    return np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(LEVELS - 1)))

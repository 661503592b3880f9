"""Which of its raw colours each pixel had: on a coarse grid by what its place is like, then by its neighbours.

Where several raw colours became one, their mean is none of them, and what a place is like is too coarse to choose by.
Neighbours are not: raw pictures are smooth where captured ones jump. So pixels far apart are settled first
(`inversion.semiglobal`), and then the grid is made twice as fine, by pixels between those that are settled, until
it holds them all; those of the coarser grid are settled again, by nearer neighbours. Each is the posterior mean of its
raw colours around the mean of four neighbours, with tails so heavy that edges stay.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32, UInt8
from numba import njit, prange

from campro.core.types import Rgb8
from campro.inversion.cell_grid import (
    CELL,
    Positions,
    downscale_factor,
    pixel_positions,
    to_level,
    upsampled_columns,
)
from campro.inversion.preimages import INTERLEAVED, MOST, NEAR, Preimages, entries_of, levels_of
from campro.inversion.semiglobal import CHOICES, FREEDOM, HALVING, JUMP, PLACE, chosen_by_lines, nearness

GRID = 4
"""Pixels from one to the next of those that are settled first; a power of two times as many in large pictures."""
NEIGHBOURS = (16.0, 150.0)
"""Variance of a raw colour around the mean of its neighbours, as `semiglobal.PLACE`."""
WHOLE = 1 - 0.5 / 255
"""From here on the map changes no level. Most rows of most pictures are whole."""
LIKELY = np.exp(-HALVING * np.arange(256)).astype(np.float32)
SETTLED = (GRID, NEIGHBOURS, CHOICES, FREEDOM, HALVING, JUMP, PLACE, NEAR, MOST)
"""What decides beside the map how pictures come out."""


class Settler:
    """keep x (raw colours), for pictures as the camera made them."""

    def __init__(self, preimages: Preimages) -> None:
        self._preimages = preimages

    def __call__(
        self,
        captured: Rgb8,
        coloured: Rgb8,
        spread: UInt8[np.ndarray, "H W"],
        context: Float32[np.ndarray, "7 h w"],
        out: Rgb8 | None = None,
    ) -> Rgb8:
        """From what `Inverse.with_spread` says and the map of `downscaled` pictures; `out` may be `coloured`.

        Pixels without spread stay as they are.
        """
        out, captured = coloured.copy() if out is None else out, np.ascontiguousarray(captured)
        scale = downscale_factor(captured)
        step = GRID << math.ceil(math.log2(scale))
        while step >= max(2, min(spread.shape)):  # of the smallest pictures
            step //= 2
        rows, columns = (
            pixel_positions(pixels, cells, CELL * scale) for pixels, cells in zip(captured.shape, context.shape[1:])
        )
        seen, recoloured, unsure = (np.ascontiguousarray(part[::step, ::step]) for part in (captured, coloured, spread))
        means = _at(255 * context[1:4], _every(step, rows), _every(step, columns))
        out[::step, ::step] = chosen_by_lines(seen, recoloured, unsure, means, self._preimages)
        table = *INTERLEAVED, self._preimages.starts, self._preimages.entries, *nearness(*NEIGHBOURS)
        while step > 1:
            step //= 2
            _settle_middles(out, captured, spread, step, *table)
            _settle_beside(out, captured, spread, step, step, 1, *table)
            _settle_beside(out, captured, spread, step, 2 * step, 0, *table)  # the coarser grid, by nearer neighbours
        _darken(upsampled_columns(context[:1], columns), *rows, out)
        return out


def _every(step: int, places: Positions) -> Positions:
    below, part = places
    return below[::step], part[::step]


def _at(maps: Float32[np.ndarray, "c h w"], rows: Positions, columns: Positions) -> Float32[np.ndarray, "H W c"]:
    (tops, downs), wide = rows, upsampled_columns(maps, columns)
    above, below = wide[tops], wide[np.minimum(tops + 1, len(wide) - 1)]
    return np.ascontiguousarray((above + (below - above) * downs[:, None, None]).transpose(0, 2, 1))


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _settle_middles(out, captured, spread, half, reds, greens, blues, starts, entries, scale, shared):
    """Pixels in the middle of four of a grid of 2 half."""
    height, width = captured.shape[:2]
    for row in prange((height + half - 1) // (2 * half)):
        y = half + row * 2 * half
        up, low = y - half, _inside(y + half, y - half, height)
        for x in range(half, width, 2 * half):
            if spread[y, x]:
                left, right = x - half, _inside(x + half, x - half, width)
                first, end = entries_of(captured[y, x], reds, greens, blues, starts)
                red, green, blue = _mean(out[up, left], out[up, right], out[low, left], out[low, right])
                _settle(out[y, x], entries, first, end, red, green, blue, scale, shared)


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _settle_beside(out, captured, spread, half, down, turn, reds, greens, blues, starts, entries, scale, shared):
    """Every second pixel of a grid of half, in every row or in every second, by the four beside it: not among them."""
    height, width = captured.shape[:2]
    for row in prange((height + down - 1) // down):
        y = row * down
        up, low = _inside(y - half, y + half, height), _inside(y + half, y - half, height)
        for x in range((y // half + turn) % 2 * half, width, 2 * half):
            if spread[y, x]:
                left, right = _inside(x - half, x + half, width), _inside(x + half, x - half, width)
                first, end = entries_of(captured[y, x], reds, greens, blues, starts)
                red, green, blue = _mean(out[up, x], out[low, x], out[y, left], out[y, right])
                _settle(out[y, x], entries, first, end, red, green, blue, scale, shared)


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _darken(keep, tops, downs, out):
    bottom = keep.shape[0] - 1
    for y in prange(out.shape[0]):
        above, below = keep[tops[y], 0], keep[min(tops[y] + 1, bottom), 0]
        line = above + (below - above) * downs[y]
        if line.min() > WHOLE:
            continue
        for x in range(out.shape[1]):
            for channel in range(3):
                out[y, x, channel] = to_level(line[x] * out[y, x, channel])


@njit(inline="always")
def _inside(place, other, length):
    """That place, or the other one if it is beyond the border."""
    return place if 0 <= place < length else other


@njit(inline="always")
def _mean(one, two, three, four):
    quarter = np.float32(0.25)
    red = np.int32(one[0]) + two[0] + three[0] + four[0]
    green = np.int32(one[1]) + two[1] + three[1] + four[1]
    blue = np.int32(one[2]) + two[2] + three[2] + four[2]
    return red * quarter, green * quarter, blue * quarter


@njit(inline="always")
def _settle(pixel, entries, first, end, red, green, blue, scale, shared):
    """The mean of entries around a colour, by Student's t of three degrees of freedom and as many dimensions."""
    one = np.float32(1)
    total = reds = greens = blues = np.float32(0)
    for at in range(first, end):
        entry = entries[at]
        level_red, level_green, level_blue = levels_of(entry)
        off_red = np.float32(level_red) - red
        off_green = np.float32(level_green) - green
        off_blue = np.float32(level_blue) - blue
        together = off_red + off_green + off_blue
        apart = off_red * off_red + off_green * off_green + off_blue * off_blue - shared * together * together
        near = one / (one + scale * apart)
        weight = LIKELY[entry >> 24] * near * near * near
        total += weight
        reds += weight * off_red
        greens += weight * off_green
        blues += weight * off_blue
    if total > 0:
        pixel[0] = to_level(red + reds / total)
        pixel[1] = to_level(green + greens / total)
        pixel[2] = to_level(blue + blues / total)

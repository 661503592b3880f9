"""What of the fast enhancer touches every pixel of an 8-bit picture: its first and last step, one kernel each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64
from numba import njit, prange

from campro.core.types import Rgb8

STRIDE, CHANNELS = 8, 13
LEVELS = 256


def planes(rgb: Rgb8) -> Float32[np.ndarray, "1 3 H W"]:
    """`to_tensor` for numpy, as fast as memory: a network waits for it."""
    out = np.empty((1, 3, *rgb.shape[:2]), np.float32)
    _planes(np.ascontiguousarray(rgb), out[0])
    return out


class Composer:
    """keep x (c + tint + gain (c - 1/2)) with c = table(colour), rounded half up.

    Agrees with `FastEnhancer` to a rounding step.
    """

    def __init__(self, table: Float32[np.ndarray, "n n n 3"]) -> None:
        """`table[b, g, r]` is the colour at a node of the cube."""
        self._low, self._part = _cells(np.arange(LEVELS) / (LEVELS - 1) * (len(table) - 1), len(table))
        # Along red the table is worked out for all levels once, which halves the reads for every pixel.
        part = self._part[:, None]
        self._table = np.ascontiguousarray(table[:, :, self._low] * (1 - part) + table[:, :, self._low + 1] * part)

    def __call__(self, captured: Rgb8, small: Float32[np.ndarray, "13 h w"]) -> Rgb8:
        """`small` holds keep, tint and gain at 1/8 of the (padded) size, bilinear between, with half-pixel centres."""
        out = np.empty_like(captured)
        rows, columns = (_upscaled(pixels, cells) for pixels, cells in zip(captured.shape, small.shape[1:]))
        maps = np.ascontiguousarray(small.transpose(1, 2, 0))
        _compose(np.ascontiguousarray(captured), self._table, self._low, self._part, maps, *rows, *columns, out)
        return out


def _cells(
    positions: Float32[np.ndarray, " n"], count: int
) -> tuple[Int64[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """Of each position, cut at the borders: the node below, and how far it is towards the next."""
    inside = positions.clip(0, count - 1)
    low = np.minimum(inside.astype(np.int64), max(count - 2, 0))
    return low, (inside - low).astype(np.float32)


def _upscaled(pixels: int, cells: int) -> tuple[Int64[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    return _cells((np.arange(pixels) + 0.5) / STRIDE - 0.5, cells)


@njit(cache=True, parallel=True, nogil=True)
def _planes(rgb, out):
    for y in prange(rgb.shape[0]):
        for channel in range(3):
            for x in range(rgb.shape[1]):
                out[channel, y, x] = rgb[y, x, channel] / np.float32(255)


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _compose(captured, table, low, part, maps, tops, downs, lefts, overs, out):
    height, width = captured.shape[:2]
    rows, columns = maps.shape[:2]
    one, white, half = np.float32(1), np.float32(255), np.float32(0.5)
    for y in prange(height):
        top, down = tops[y], downs[y]
        line = maps[top] * (one - down) + maps[min(top + 1, rows - 1)] * down
        here, colour = np.empty(CHANNELS, np.float32), np.empty(3, np.float32)
        for x in range(width):
            left, over = lefts[x], overs[x]
            right = min(left + 1, columns - 1)
            red, green, blue = captured[y, x, 0], low[captured[y, x, 1]], low[captured[y, x, 2]]
            up_green, up_blue = part[captured[y, x, 1]], part[captured[y, x, 2]]
            both = up_green * up_blue
            only_green, only_blue = up_green - both, up_blue - both
            none = one - up_green - only_blue
            for channel in range(CHANNELS):
                here[channel] = line[left, channel] + (line[right, channel] - line[left, channel]) * over
            for channel in range(3):
                colour[channel] = (
                    none * table[blue, green, red, channel]
                    + only_green * table[blue, green + 1, red, channel]
                    + only_blue * table[blue + 1, green, red, channel]
                    + both * table[blue + 1, green + 1, red, channel]
                )
            for channel in range(3):
                mixed = colour[channel] + here[1 + channel]
                for other in range(3):
                    mixed += here[4 + 3 * channel + other] * (colour[other] - half)
                value = here[0] * mixed * white + half
                out[y, x, channel] = np.uint8(min(max(value, np.float32(0)), white))

"""What of the fast enhancer touches every pixel of an 8-bit picture, one multi-threaded kernel each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64
from numba import njit, prange

from campro.core.types import Rgb8

STRIDE, MULTIPLE = 8, 64
"""The map is drawn at 1 / STRIDE; its network halves three times more, so pictures are padded to MULTIPLE."""
LEVELS = 256
FLOOR = 1e-4
"""Added to variances before their root, whose slope has no end at nought."""


def planes(rgb: Rgb8, multiple: int = 1) -> Float32[np.ndarray, "1 3 H W"]:
    """`to_tensor` and `padded` for numpy, as fast as memory: a network waits for it."""
    out = np.empty((1, 3, *_padded(rgb, multiple)), np.float32)
    height, width, _ = rgb.shape
    _planes(np.ascontiguousarray(rgb), out[0])
    out[..., :height, width:] = out[..., :height, width - 1 : width]
    out[..., height:, :] = out[..., height - 1 : height, :]
    return out


class Table:
    """A `Lut3d` on 8-bit pictures, to a rounding step."""

    def __init__(self, values: Float32[np.ndarray, "n n n 3"]) -> None:
        """`values[b, g, r]` is the colour at a node of the cube."""
        self._low, self._part = _cells(np.arange(LEVELS) / (LEVELS - 1) * (len(values) - 1), len(values))
        # Along red the table is worked out for all levels once, which halves the reads for every pixel.
        part = self._part[:, None]
        self._table = np.ascontiguousarray(values[:, :, self._low] * (1 - part) + values[:, :, self._low + 1] * part)

    def __call__(self, rgb: Rgb8) -> Rgb8:
        out = np.empty_like(rgb)
        _look_up(np.ascontiguousarray(rgb), self._table, self._low, self._part, out)
        return out


def statistics(captured: Rgb8, coloured: Rgb8) -> Float32[np.ndarray, "1 12 h w"]:
    """`campro.enhance.fast.statistics` of one picture."""
    height, width = _padded(captured, MULTIPLE)
    out = np.empty((1, 12, height // STRIDE, width // STRIDE), np.float32)
    for first, rgb in ((0, captured), (6, coloured)):
        _statistics(np.ascontiguousarray(rgb), out[0, first : first + 6])
    return out


def compose(coloured: Rgb8, context: Float32[np.ndarray, "4 h w"]) -> Rgb8:
    """keep x (coloured + tint), rounded half up; both bilinear between cells, with half-pixel centres."""
    out = np.empty_like(coloured)
    rows, columns = (_upscaled(pixels, cells) for pixels, cells in zip(coloured.shape, context.shape[1:]))
    _compose(coloured, np.ascontiguousarray(context.transpose(1, 2, 0)), *rows, *columns, out)
    return out


def _padded(rgb: Rgb8, multiple: int) -> tuple[int, int]:
    height, width, _ = rgb.shape
    return -(-height // multiple) * multiple, -(-width // multiple) * multiple


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
def _look_up(rgb, table, low, part, out):
    one, white, half = np.float32(1), np.float32(255), np.float32(0.5)
    for y in prange(rgb.shape[0]):
        for x in range(rgb.shape[1]):
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


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _compose(coloured, maps, tops, downs, lefts, overs, out):
    height, width = coloured.shape[:2]
    rows, columns = maps.shape[:2]
    one, white, half = np.float32(1), np.float32(255), np.float32(0.5)
    for y in prange(height):
        top, down = tops[y], downs[y]
        line = maps[top] * (one - down) + maps[min(top + 1, rows - 1)] * down
        for x in range(width):
            left, over = lefts[x], overs[x]
            right = min(left + 1, columns - 1)
            keep = line[left, 0] + (line[right, 0] - line[left, 0]) * over
            for channel in range(3):
                tint = line[left, 1 + channel] + (line[right, 1 + channel] - line[left, 1 + channel]) * over
                value = keep * (coloured[y, x, channel] + tint * white) + half
                out[y, x, channel] = np.uint8(min(max(value, np.float32(0)), white))

"""The last step of the fast enhancer on 8-bit pictures, in one pass over the pixels by one multi-threaded kernel."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numba import njit, prange

from campro.core.types import Rgb8

STRIDE = 8


def compose(captured: Rgb8, table: Float32[np.ndarray, "n n n 3"], small: Float32[np.ndarray, "4 h w"]) -> Rgb8:
    """keep x (table(colour) + tint), rounded half up.

    `table[b, g, r]` is the colour at a node of the cube; `small` holds keep and tint at 1/8 of the (padded) size and is
    blown up as by bilinear interpolation with half-pixel centres. Agrees with `FastEnhancer` to a rounding step.
    """
    out = np.empty_like(captured)
    _compose(np.ascontiguousarray(captured), table, np.ascontiguousarray(small.transpose(1, 2, 0)), out)
    return out


@njit(cache=True, inline="always")
def _between(position, count):
    """The cell below a position, and how far the position is into it; cut at the borders."""
    inside = min(max(position, np.float32(0)), np.float32(count - 1))
    low = min(int(inside), count - 2) if count > 1 else 0
    return low, inside - np.float32(low)


@njit(cache=True, parallel=True, nogil=True)
def _compose(captured, table, small, out):
    height, width = captured.shape[:2]
    nodes = table.shape[0]
    rows, columns = small.shape[:2]
    grain = np.float32((nodes - 1) / 255)
    for y in prange(height):
        top, down = _between(np.float32((y + 0.5) / STRIDE - 0.5), rows)
        bottom = min(top + 1, rows - 1)
        line = small[top] * (1 - down) + small[bottom] * down
        for x in range(width):
            left, over = _between(np.float32((x + 0.5) / STRIDE - 0.5), columns)
            right = min(left + 1, columns - 1)
            r, fr = _between(captured[y, x, 0] * grain, nodes)
            g, fg = _between(captured[y, x, 1] * grain, nodes)
            b, fb = _between(captured[y, x, 2] * grain, nodes)
            keep = line[left, 0] * (1 - over) + line[right, 0] * over
            for channel in range(3):
                near = (table[b, g, r, channel] * (1 - fr) + table[b, g, r + 1, channel] * fr) * (1 - fg) + (
                    table[b, g + 1, r, channel] * (1 - fr) + table[b, g + 1, r + 1, channel] * fr
                ) * fg
                far = (table[b + 1, g, r, channel] * (1 - fr) + table[b + 1, g, r + 1, channel] * fr) * (1 - fg) + (
                    table[b + 1, g + 1, r, channel] * (1 - fr) + table[b + 1, g + 1, r + 1, channel] * fr
                ) * fg
                tint = line[left, channel + 1] * (1 - over) + line[right, channel + 1] * over
                value = keep * (near * (1 - fb) + far * fb + tint) * np.float32(255) + np.float32(0.5)
                out[y, x, channel] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))

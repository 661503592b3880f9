"""Kernels of fills: averages of kept pixels by cells, and the composition of picture and fill at every pixel.

`keep` is how much of a pixel's own colour is shown, from its mask: 0 up to MASKED, 1 from KEPT, linear in between.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from campro.core.kernels import njit
from campro.inversion.cell_grid import CELL, to_level

MASKED, KEPT = 0.5, 0.9
"""Mask up to which nothing of a pixel is shown, and from which all of it is shown. Only pixels of the second kind
contribute to a fill."""


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def average_kept_pixels(rgb, mask, tops, fractions, means, shares):
    """Mean level of the kept pixels of each cell into `means` (h, w, 3), and their share, 0 to 1, into `shares`.

    `mask` is interpolated along rows (cells, 1, W); `tops` and `fractions` are the positions of rows between its rows.
    """
    height, width = rgb.shape[:2]
    bottom = mask.shape[0] - 1
    for row in prange(means.shape[0]):
        means[row], shares[row] = 0, 0
        first, end = row * CELL, min(row * CELL + CELL, height)
        for y in range(first, end):
            above, below = mask[tops[y], 0], mask[min(tops[y] + 1, bottom), 0]
            fraction = fractions[y]
            for column in range(means.shape[1]):
                count = red = green = blue = 0
                for x in range(column * CELL, min(column * CELL + CELL, width)):
                    if above[x] + (below[x] - above[x]) * fraction >= np.float32(KEPT):
                        count += 1
                        red += rgb[y, x, 0]
                        green += rgb[y, x, 1]
                        blue += rgb[y, x, 2]
                shares[row, column] += count
                means[row, column, 0] += red
                means[row, column, 1] += green
                means[row, column, 2] += blue
        for column in range(means.shape[1]):
            pixels = (end - first) * (min(column * CELL + CELL, width) - column * CELL)
            for channel in range(3):
                means[row, column, channel] /= max(shares[row, column], np.float32(1))
            shares[row, column] /= pixels


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def insert_fill(rgb, mask, tops, fractions, fill, fill_tops, fill_fractions):
    """Blend the fill into `rgb`, in place: keep * rgb + (1 - keep) * fill.

    `mask` and `fill` are interpolated along rows, (cells, 1, W) and (cells, 3, W) in levels; the positions of rows
    between their rows follow each.
    """
    bottom, fill_bottom = mask.shape[0] - 1, fill.shape[0] - 1
    for y in prange(rgb.shape[0]):
        above, below = mask[tops[y], 0], mask[min(tops[y] + 1, bottom), 0]
        line = above + (below - above) * fractions[y]
        if line.min() >= np.float32(KEPT):
            continue
        upper, lower = fill[fill_tops[y]], fill[min(fill_tops[y] + 1, fill_bottom)]
        for x in range(rgb.shape[1]):
            keep = (line[x] - np.float32(MASKED)) / np.float32(KEPT - MASKED)
            if keep < 1:
                keep = max(keep, np.float32(0))
                for channel in range(3):
                    level = upper[channel, x] + (lower[channel, x] - upper[channel, x]) * fill_fractions[y]
                    own = np.float32(rgb[y, x, channel]) if keep > 0 else level
                    rgb[y, x, channel] = to_level(level + keep * (own - level))

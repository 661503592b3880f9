"""Preimage selection: one raw colour for every pixel, from coarse to fine.

Several raw colours can have the same captured colour. Their posterior mean (`Inverse`) is then none of them, and the
mean colour of a cell of 8 x 8 pixels is too coarse to decide between them. Raw pictures are smooth where captured ones
jump, so the neighbours of a pixel can decide:

1. On a coarse grid, semi-global matching selects a preimage for each pixel (`campro.inversion.semiglobal`).
2. The grid is made twice as fine, until it holds every pixel. Each new pixel gets the posterior mean of its preimages
   around the mean of its four neighbours on the grid; the prior around that mean is a Student's t, whose heavy tails
   keep edges. Pixels of the coarser grid are then computed again from their new, nearer neighbours.
3. The result is multiplied by the mask (0 on faces).
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32, UInt8
from numba import prange

from campro.core.kernels import njit
from campro.core.types import Rgb8
from campro.inversion.cell_grid import (
    CELL,
    Positions,
    downscale_factor,
    pixel_positions,
    to_level,
    upsampled_columns,
)
from campro.inversion.preimages import GROUP_RADIUS, MAX_GROUPS, MORTON, Preimages, entry_range, unpacked
from campro.inversion.semiglobal import (
    CANDIDATES,
    CELL_VARIANCE,
    COST_PER_STEP,
    DEGREES_OF_FREEDOM,
    MAX_STEP_COST,
    select_semiglobally,
    student_t_constants,
)

COARSE_STEP = 4
"""Pixels from one pixel of the coarse grid to the next; doubled for every doubling of `downscale_factor`."""
NEIGHBOUR_VARIANCE = (16.0, 150.0)
"""Variance of a raw colour around the mean of its four neighbours, in squared levels; see `CELL_VARIANCE`."""
UNMASKED = 1 - 0.5 / 255
"""From this mask value on no level changes, so the row is skipped; most rows of most pictures are."""
LIKELIHOODS = np.exp(-COST_PER_STEP * np.arange(256)).astype(np.float32)
SELECTION_SETTINGS = (
    COARSE_STEP,
    NEIGHBOUR_VARIANCE,
    CANDIDATES,
    DEGREES_OF_FREEDOM,
    COST_PER_STEP,
    MAX_STEP_COST,
    CELL_VARIANCE,
    GROUP_RADIUS,
    MAX_GROUPS,
)
"""All settings that change the result; part of the digests of transforms that select preimages."""


class PreimageSelector:
    """Inverts a profile on unprocessed camera output, by one preimage for each pixel."""

    def __init__(self, preimages: Preimages) -> None:
        self._preimages = preimages

    def __call__(
        self,
        captured: Rgb8,
        recoloured: Rgb8,
        ambiguity: UInt8[np.ndarray, "H W"],
        cell_map: Float32[np.ndarray, "c h w"],
        out: Rgb8 | None = None,
    ) -> Rgb8:
        """The restored picture, multiplied by the mask.

        Args:
            captured: the camera's output.
            recoloured: its posterior mean (`Inverse.with_ambiguity`); pixels without ambiguity keep it.
            ambiguity: ambiguity code of each pixel, from the same call.
            cell_map: of the `downscaled` picture: mask, 0 (face) to 1, then mean red, green and blue of each cell,
                0 to 1; further channels are ignored.
            out: memory for the result; may be `recoloured`.
        """
        out, captured = recoloured.copy() if out is None else out, np.ascontiguousarray(captured)
        scale = downscale_factor(captured)
        step = COARSE_STEP << math.ceil(math.log2(scale))
        while step >= max(2, min(ambiguity.shape)):  # only for tiny pictures
            step //= 2
        sizes = zip(captured.shape, cell_map.shape[1:])
        rows, columns = (pixel_positions(pixels, cells, CELL * scale) for pixels, cells in sizes)
        seen, mean, codes = (np.ascontiguousarray(part[::step, ::step]) for part in (captured, recoloured, ambiguity))
        means = _interpolated(255 * cell_map[1:4], _every(step, rows), _every(step, columns))
        out[::step, ::step] = select_semiglobally(seen, mean, codes, means, self._preimages)
        table = *MORTON, self._preimages.starts, self._preimages.entries, *student_t_constants(*NEIGHBOUR_VARIANCE)
        while step > 1:
            step //= 2
            _refine_centres(out, captured, ambiguity, step, *table)
            _refine_between(out, captured, ambiguity, step, step, 1, *table)
            _refine_between(out, captured, ambiguity, step, 2 * step, 0, *table)  # the coarser grid, once more
        _multiply_by_mask(upsampled_columns(cell_map[:1], columns), *rows, out)
        return out


def _every(step: int, positions: Positions) -> Positions:
    below, part = positions
    return below[::step], part[::step]


def _interpolated(
    maps: Float32[np.ndarray, "c h w"], rows: Positions, columns: Positions
) -> Float32[np.ndarray, "H W c"]:
    (tops, fractions), wide = rows, upsampled_columns(maps, columns)
    above, below = wide[tops], wide[np.minimum(tops + 1, len(wide) - 1)]
    return np.ascontiguousarray((above + (below - above) * fractions[:, None, None]).transpose(0, 2, 1))


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _refine_centres(out, captured, ambiguity, half, reds, greens, blues, starts, entries, scale, mix):
    """Pixels in the centre of each square of a grid of step 2 half, from the four corners of the square."""
    height, width = captured.shape[:2]
    for row in prange((height + half - 1) // (2 * half)):
        y = half + row * 2 * half
        up, low = y - half, _inside(y + half, y - half, height)
        for x in range(half, width, 2 * half):
            if ambiguity[y, x]:
                left, right = x - half, _inside(x + half, x - half, width)
                first, end = entry_range(captured[y, x], reds, greens, blues, starts)
                red, green, blue = _mean(out[up, left], out[up, right], out[low, left], out[low, right])
                _refine(out[y, x], entries, first, end, red, green, blue, scale, mix)


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _refine_between(out, captured, ambiguity, half, row_step, parity, reds, greens, blues, starts, entries, scale, mix):
    """Every second pixel of a grid of step half, from its four neighbours at distance half.

    Rows are `row_step` apart; `parity` 0 or 1 selects the even or the odd pixels of even rows, and the other ones of
    odd rows (a checkerboard). No pixel of a call is a neighbour of another one, so the order does not matter.
    """
    height, width = captured.shape[:2]
    for row in prange((height + row_step - 1) // row_step):
        y = row * row_step
        up, low = _inside(y - half, y + half, height), _inside(y + half, y - half, height)
        for x in range((y // half + parity) % 2 * half, width, 2 * half):
            if ambiguity[y, x]:
                left, right = _inside(x - half, x + half, width), _inside(x + half, x - half, width)
                first, end = entry_range(captured[y, x], reds, greens, blues, starts)
                red, green, blue = _mean(out[up, x], out[low, x], out[y, left], out[y, right])
                _refine(out[y, x], entries, first, end, red, green, blue, scale, mix)


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _multiply_by_mask(mask, tops, fractions, out):
    bottom = mask.shape[0] - 1
    for y in prange(out.shape[0]):
        above, below = mask[tops[y], 0], mask[min(tops[y] + 1, bottom), 0]
        line = above + (below - above) * fractions[y]
        if line.min() > UNMASKED:
            continue
        for x in range(out.shape[1]):
            for channel in range(3):
                out[y, x, channel] = to_level(line[x] * out[y, x, channel])


@njit(inline="always")
def _inside(place, other, length):
    """`place`, or `other` if `place` is outside the picture."""
    return place if 0 <= place < length else other


@njit(inline="always")
def _mean(one, two, three, four):
    quarter = np.float32(0.25)
    red = np.int32(one[0]) + two[0] + three[0] + four[0]
    green = np.int32(one[1]) + two[1] + three[1] + four[1]
    blue = np.int32(one[2]) + two[2] + three[2] + four[2]
    return red * quarter, green * quarter, blue * quarter


@njit(inline="always")
def _refine(pixel, entries, first, end, red, green, blue, scale, mix):
    """Posterior mean of the preimages of one pixel: likelihood times Student's t around (red, green, blue).

    The density of a Student's t with three degrees of freedom in three dimensions is (1 + d / 3)^-3, up to a constant.
    """
    one = np.float32(1)
    total = reds = greens = blues = np.float32(0)
    for at in range(first, end):
        entry = entries[at]
        level_red, level_green, level_blue = unpacked(entry)
        off_red = np.float32(level_red) - red
        off_green = np.float32(level_green) - green
        off_blue = np.float32(level_blue) - blue
        common = off_red + off_green + off_blue
        distance = off_red * off_red + off_green * off_green + off_blue * off_blue - mix * common * common
        factor = one / (one + scale * distance)
        weight = LIKELIHOODS[entry >> 24] * factor * factor * factor
        total += weight
        reds += weight * off_red
        greens += weight * off_green
        blues += weight * off_blue
    if total > 0:
        pixel[0] = to_level(red + reds / total)
        pixel[1] = to_level(green + greens / total)
        pixel[2] = to_level(blue + blues / total)

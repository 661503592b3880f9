"""One raw colour for each pixel of a coarse grid, such that from one to the next they change little where they can.

Where the network is wrong about a place, wrong raw colours of all its pixels may be as smooth as the right ones: only
at the border of such a place they jump, and the captured picture does not. So costs are added up along lines, from
every border of the picture to the opposite one, by dynamic programming: semi-global matching (Hirschmueller, Stereo
Processing by Semiglobal Matching and Mutual Information, PAMI 2008, eq. 13), with raw colours instead of disparities.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32, UInt8
from numba import njit, prange

from campro.core.types import Rgb8
from campro.inversion.preimages import INTERLEAVED, OCTAVE, Preimages, entries_of, levels_of

CHOICES = 8
"""Raw colours of a pixel that are looked at: the likeliest by what its place is like."""
JUMP = 60.0
"""A step costs the sum of its changes in levels, and never more than this."""
PLACE = (25.0, 600.0)
"""Variance of a raw colour around what its place is like, in squares of levels: of each channel alone, and of all three
together, which light and shade move.
"""
FREEDOM = 3
"""Degrees of freedom of that distribution, a Student's t: an edge is unlikely, not impossible. In three dimensions its
power, (FREEDOM + 3) / 2, is 3 as well.
"""
TEMPER = 0.33
"""Power of the likelihoods of raw colours: much of what they tell, a place tells already."""
HALVING = TEMPER * math.log(2) / OCTAVE


def nearness(alone: float, together: float) -> tuple[np.float32, np.float32]:
    """Two figures, by which Student's t has d / FREEDOM = scale (|x|^2 - shared (x0 + x1 + x2)^2): the inverse of the
    covariance alone I + together 1 1^T (Sherman and Morrison, 1950).
    """
    return np.float32(1 / (alone * FREEDOM)), np.float32(together / (alone + 3 * together))


def chosen_by_lines(
    captured: UInt8[np.ndarray, "h w 3"],
    coloured: UInt8[np.ndarray, "h w 3"],
    spread: UInt8[np.ndarray, "h w"],
    means: Float32[np.ndarray, "h w 3"],
    preimages: Preimages,
) -> Rgb8:
    """The raw colours of every pixel of a grid, by what its place is like and by its lines; of those without spread,
    and of those that no raw colour becomes, `coloured`.
    """
    choices = np.empty((*spread.shape, CHOICES), np.uint32)
    costs, counts = np.empty(choices.shape, np.float32), np.empty(spread.shape, np.uint8)
    table = *INTERLEAVED, preimages.starts, preimages.entries, *nearness(*PLACE)
    _rank(choices, costs, counts, captured, coloured, spread, means, *table)
    total = costs.copy()
    parts = total, choices, costs, counts
    for lines in (parts, [part.swapaxes(0, 1) for part in parts]):
        _add_lines(*lines)
        _add_lines(*(part[:, ::-1] for part in lines))
    total[np.arange(CHOICES) >= counts[..., None]] = np.inf
    best = np.take_along_axis(choices, total.argmin(2)[..., None], 2)[..., 0]
    return np.stack([best >> 16 & 255, best >> 8 & 255, best & 255], 2).astype(np.uint8)


@njit(cache=True, parallel=True, nogil=True)
def _rank(
    choices, costs, counts, captured, coloured, spread, means, reds, greens, blues, starts, entries, scale, shared
):
    """Of each pixel the likeliest raw colours in order, and the logarithms of how much less likely each is."""
    height, width = spread.shape
    for y in prange(height):
        for x in range(width):
            first, end = entries_of(captured[y, x], reds, greens, blues, starts)
            choice, cost = choices[y, x], costs[y, x]
            count = 0
            if spread[y, x]:
                for at in range(first, end):
                    entry = entries[at]
                    level_red, level_green, level_blue = levels_of(entry)
                    red = np.float32(level_red) - means[y, x, 0]
                    green = np.float32(level_green) - means[y, x, 1]
                    blue = np.float32(level_blue) - means[y, x, 2]
                    far = red * red + green * green + blue * blue - shared * (red + green + blue) ** 2
                    against = HALVING * (entry >> 24) + FREEDOM * math.log(1 + scale * far)
                    count = _insert(choice, cost, count, entry, against)
            if count == 0:
                red, green, blue = coloured[y, x]
                entry = (np.uint32(red) << 16) | (np.uint32(green) << 8) | np.uint32(blue)
                count = _insert(choice, cost, count, entry, 0.0)
            least = cost[0]
            for place in range(count):
                cost[place] -= least
            counts[y, x] = count


@njit(inline="always")
def _insert(choice, cost, count, entry, against):
    """Into a list that is in order, of which the dearest falls out when it is full; returns how many there are."""
    if count == CHOICES:
        if against >= cost[count - 1]:
            return count
        count -= 1
    place = count
    while place and cost[place - 1] > against:
        choice[place], cost[place] = choice[place - 1], cost[place - 1]
        place -= 1
    choice[place], cost[place] = entry, against
    return count + 1


@njit(cache=True, parallel=True, nogil=True)
def _add_lines(total, choices, costs, counts):
    """Of every choice what the best way to it costs, from the beginning of its row to just before it."""
    length = counts.shape[1]
    for row in prange(len(counts)):
        before, here = np.empty((CHOICES, 3), np.int32), np.empty((CHOICES, 3), np.int32)
        paid, paying = np.empty(CHOICES, np.float32), np.empty(CHOICES, np.float32)
        known = 0
        for x in range(length):
            count, least = counts[row, x], np.float32(np.inf)
            for one in range(count):
                here[one, 0], here[one, 1], here[one, 2] = levels_of(choices[row, x, one])
                way = np.float32(JUMP if known else 0)
                for other in range(known):
                    step = (
                        abs(here[one, 0] - before[other, 0])
                        + abs(here[one, 1] - before[other, 1])
                        + abs(here[one, 2] - before[other, 2])
                    )
                    way = min(way, paid[other] + step)
                total[row, x, one] += way
                paying[one] = costs[row, x, one] + way
                least = min(least, paying[one])
            # The cheapest is 0 again (Hirschmueller's second term): ways stay small, and a jump is from the cheapest.
            for one in range(count):
                paying[one] -= least
            before, here, paid, paying, known = here, before, paying, paid, count

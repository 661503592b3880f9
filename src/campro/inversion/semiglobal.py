"""Semi-global matching on a coarse grid: one preimage for each pixel, so that neighbours change little.

The estimated mean colour of a cell may be wrong in a whole region. The wrong preimages of its pixels can then be as
smooth as the right ones; only at the border of the region the wrong ones jump where the captured picture does not.
A local decision cannot use that. Semi-global matching can: the cost of each candidate is the sum of its own cost and of
the cheapest paths to it along the row and the column, in both directions, found by dynamic programming.

Source: Hirschmueller, Stereo Processing by Semiglobal Matching and Mutual Information, IEEE PAMI 30(2), 2008, eq. 13;
raw colours take the place of disparities.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32, UInt8
from numba import prange

from campro.core.kernels import njit
from campro.core.types import Rgb8
from campro.inversion.preimages import MORTON, STEPS_PER_HALVING, Preimages, entry_range, unpacked

CANDIDATES = 8
"""Preimages of a pixel that are considered: those with the lowest cost given the mean colour of the cell."""
MAX_STEP_COST = 60.0
"""The cost of a step between neighbours is the sum of absolute differences over channels in levels, at most this."""
CELL_VARIANCE = (25.0, 600.0)
"""Variance of a raw colour around the mean colour of its cell, in squared levels: of each channel alone, and of the
part that all three channels share (light and shade)."""
DEGREES_OF_FREEDOM = 3
"""Of that distribution, a Student's t: its heavy tails allow edges. In three dimensions the exponent of its density,
(DEGREES_OF_FREEDOM + 3) / 2, is 3 as well."""
LIKELIHOOD_POWER = 0.33
"""Exponent of the likelihoods of preimages: they and the mean colour of the cell are not independent."""
COST_PER_STEP = LIKELIHOOD_POWER * math.log(2) / STEPS_PER_HALVING
"""Cost of one step of a stored likelihood (see `Preimages`)."""


def student_t_constants(alone: float, shared: float) -> tuple[np.float32, np.float32]:
    """Two constants (scale, mix) for the squared Mahalanobis distance of a Student's t in three dimensions.

    For the covariance `alone` I + `shared` 1 1^T, the squared distance of x, divided by DEGREES_OF_FREEDOM, is
    scale (|x|^2 - mix (x0 + x1 + x2)^2) (inverse by Sherman and Morrison, 1950). Variances are in squared levels.
    """
    return np.float32(1 / (alone * DEGREES_OF_FREEDOM)), np.float32(shared / (alone + 3 * shared))


def select_semiglobally(
    captured: UInt8[np.ndarray, "h w 3"],
    recoloured: UInt8[np.ndarray, "h w 3"],
    ambiguity: UInt8[np.ndarray, "h w"],
    means: Float32[np.ndarray, "h w 3"],
    preimages: Preimages,
) -> Rgb8:
    """One preimage for every pixel of a grid; `means` are the mean colours of their cells, 0 to 255.

    Pixels without ambiguity and pixels whose captured colour is not reachable keep their `recoloured` value.
    """
    candidates = np.empty((*ambiguity.shape, CANDIDATES), np.uint32)
    costs, counts = np.empty(candidates.shape, np.float32), np.empty(ambiguity.shape, np.uint8)
    table = *MORTON, preimages.starts, preimages.entries, *student_t_constants(*CELL_VARIANCE)
    _rank(candidates, costs, counts, captured, recoloured, ambiguity, means, *table)
    total = costs.copy()
    parts = total, candidates, costs, counts
    for lines in (parts, [part.swapaxes(0, 1) for part in parts]):
        _add_path_costs(*lines)
        _add_path_costs(*(part[:, ::-1] for part in lines))
    total[np.arange(CANDIDATES) >= counts[..., None]] = np.inf
    best = np.take_along_axis(candidates, total.argmin(2)[..., None], 2)[..., 0]
    return np.stack([best >> 16 & 255, best >> 8 & 255, best & 255], 2).astype(np.uint8)


@njit(cache=True, parallel=True, nogil=True)
def _rank(
    candidates,
    costs,
    counts,
    captured,
    recoloured,
    ambiguity,
    means,
    reds,
    greens,
    blues,
    starts,
    entries,
    scale,
    mix,
):
    """The candidates of each pixel in order of cost; a cost is a negative log likelihood, 0 for the best candidate."""
    height, width = ambiguity.shape
    for y in prange(height):
        for x in range(width):
            first, end = entry_range(captured[y, x], reds, greens, blues, starts)
            candidate, cost = candidates[y, x], costs[y, x]
            count = 0
            if ambiguity[y, x]:
                for at in range(first, end):
                    entry = entries[at]
                    level_red, level_green, level_blue = unpacked(entry)
                    red = np.float32(level_red) - means[y, x, 0]
                    green = np.float32(level_green) - means[y, x, 1]
                    blue = np.float32(level_blue) - means[y, x, 2]
                    far = red * red + green * green + blue * blue - mix * (red + green + blue) ** 2
                    own = COST_PER_STEP * (entry >> 24) + DEGREES_OF_FREEDOM * math.log(1 + scale * far)
                    count = _insert(candidate, cost, count, entry, own)
            if count == 0:
                red, green, blue = recoloured[y, x]
                entry = (np.uint32(red) << 16) | (np.uint32(green) << 8) | np.uint32(blue)
                count = _insert(candidate, cost, count, entry, 0.0)
            least = cost[0]
            for place in range(count):
                cost[place] -= least
            counts[y, x] = count


@njit(inline="always")
def _insert(candidate, cost, count, entry, own):
    """Insert into a sorted list of at most CANDIDATES, which drops its most expensive entry; returns the new length."""
    if count == CANDIDATES:
        if own >= cost[count - 1]:
            return count
        count -= 1
    place = count
    while place and cost[place - 1] > own:
        candidate[place], cost[place] = candidate[place - 1], cost[place - 1]
        place -= 1
    candidate[place], cost[place] = entry, own
    return count + 1


@njit(cache=True, parallel=True, nogil=True)
def _add_path_costs(total, candidates, costs, counts):
    """Add to every candidate the cost of the cheapest path to it, from the start of its row, its own cost excluded."""
    length = counts.shape[1]
    for row in prange(len(counts)):
        before, here = np.empty((CANDIDATES, 3), np.int32), np.empty((CANDIDATES, 3), np.int32)
        paths_before, paths_here = np.empty(CANDIDATES, np.float32), np.empty(CANDIDATES, np.float32)
        count_before = 0
        for x in range(length):
            count, least = counts[row, x], np.float32(np.inf)
            for one in range(count):
                here[one, 0], here[one, 1], here[one, 2] = unpacked(candidates[row, x, one])
                path = np.float32(MAX_STEP_COST if count_before else 0)
                for other in range(count_before):
                    step = (
                        abs(here[one, 0] - before[other, 0])
                        + abs(here[one, 1] - before[other, 1])
                        + abs(here[one, 2] - before[other, 2])
                    )
                    path = min(path, paths_before[other] + step)
                total[row, x, one] += path
                paths_here[one] = costs[row, x, one] + path
                least = min(least, paths_here[one])
            # Hirschmueller's last term of eq. 13: the cheapest path costs 0 again, so costs stay bounded, and
            # MAX_STEP_COST is the cost of a step from the cheapest candidate to any.
            for one in range(count):
                paths_here[one] -= least
            before, here = here, before
            paths_before, paths_here, count_before = paths_here, paths_before, count

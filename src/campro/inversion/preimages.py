"""All raw colours that become one captured colour: what `Inverse` has the mean of, to choose among by more than it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt32
from numba import njit

from campro.inversion.inverse import cell
from campro.isp.lookup import colour_table
from campro.isp.profile import IspProfile

NEAR = 8
"""Raw colours count as one if they are so many levels apart, in no channel more."""
MOST = 64
"""Of one captured colour; what is left counts as the nearest of them."""
OCTAVE = 8
"""Steps in which a likelihood halves: it is kept in eight bits."""
COLOURS = 1 << 24


@dataclass(frozen=True)
class Preimages:
    """Raw colours by captured colour, and how likely each is.

    Those of captured colour c are `entries[starts[i]:starts[i + 1]]`, i = `index_of(c)`, as w << 24 | colour, where w
    stands for 2^(-w / OCTAVE) times as likely as the likeliest of them. There are none of what no raw colour becomes.
    """

    starts: UInt32[np.ndarray, "16777217"]
    entries: UInt32[np.ndarray, " n"]

    @classmethod
    def of(cls, profile: IspProfile, prior: Float[np.ndarray, " cells"]) -> Preimages:
        """Of a profile that maps colours alone (`is_pointwise`); `prior` as from `inverse.prior_of`."""
        captured = colour_table(profile.blocks)
        return cls(*_grouped(np.ascontiguousarray(prior, np.float64), *_sorted(captured, *INTERLEAVED)))


def _interleaved(channel: int) -> UInt32[np.ndarray, "256"]:
    levels, out = np.arange(256, dtype=np.uint32), np.zeros(256, np.uint32)
    for bit in range(8):
        out |= (levels >> bit & 1) << (3 * bit + channel)
    return out


INTERLEAVED = tuple(_interleaved(channel) for channel in (2, 1, 0))
"""Of each level of red, green and blue its part of a colour's index. Bits of the three alternate (Morton's order):
colours that are alike are near each other in memory, which saves a quarter of the time.
"""


@njit(cache=True, inline="always")
def index_of(colour, reds, greens, blues):
    """Where the raw colours of a captured one are, by INTERLEAVED."""
    return np.uintp(reds[colour[0]] | greens[colour[1]] | blues[colour[2]])


@njit(inline="always")
def entries_of(colour, reds, greens, blues, starts):
    """The first entry of a captured colour, and the one after its last."""
    index = index_of(colour, reds, greens, blues)
    return np.int64(starts[index]), np.int64(starts[index + 1])


@njit(inline="always")
def levels_of(entry):
    """Red, green and blue."""
    return np.int32((entry >> 16) & 255), np.int32((entry >> 8) & 255), np.int32(entry & 255)


@njit(cache=True)
def _sorted(captured, reds, greens, blues):
    """Where the raw colours of each captured one start, and all raw colours in that order."""
    starts = np.zeros(COLOURS + 1, np.uint32)
    for raw in range(COLOURS):
        colour = captured[raw]
        starts[index_of((colour >> 16, (colour >> 8) & 255, colour & 255), reds, greens, blues) + 1] += 1
    for index in range(COLOURS):
        starts[index + 1] += starts[index]
    filled, order = starts[:-1].copy(), np.empty(COLOURS, np.uint32)
    for raw in range(COLOURS):
        colour = captured[raw]
        index = index_of((colour >> 16, (colour >> 8) & 255, colour & 255), reds, greens, blues)
        order[filled[index]] = raw
        filled[index] += 1
    return starts, order


@njit(cache=True)
def _grouped(prior, starts, order):
    """Those that are near each other made one, at their mean; of each captured colour the first comes first."""
    firsts, entries = np.zeros_like(starts), np.empty_like(order)
    middles, weights = np.empty((MOST, 3)), np.empty(MOST)
    written = 0
    for index in range(len(starts) - 1):
        firsts[index] = written
        count = 0
        for position in range(starts[index], starts[index + 1]):
            raw = order[position]
            red, green, blue = raw >> 16, (raw >> 8) & 255, raw & 255
            group, apart = -1, np.inf
            for other in range(count):
                far = max(abs(red - middles[other, 0]), abs(green - middles[other, 1]), abs(blue - middles[other, 2]))
                if far < apart:
                    group, apart = other, far
            if group < 0 or (apart > NEAR and count < MOST):
                group = count
                count += 1
                middles[group], weights[group] = 0, 0
            weight = prior[cell(red, green, blue)]
            weights[group] += weight
            part = weight / weights[group]
            middles[group, 0] += (red - middles[group, 0]) * part
            middles[group, 1] += (green - middles[group, 1]) * part
            middles[group, 2] += (blue - middles[group, 2]) * part
        heaviest = weights[:count].max() if count else 1.0
        for group in range(count):
            entry = np.uint32(min(OCTAVE * np.log2(heaviest / weights[group]), 255.0))
            for channel in range(3):
                entry = (entry << np.uint32(8)) | np.uint32(middles[group, channel] + 0.5)
            entries[written] = entry
            written += 1
    firsts[-1] = written
    return firsts, entries[:written].copy()

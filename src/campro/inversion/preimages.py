"""The preimages of each captured colour: the raw colours that a profile maps to it, with their likelihoods.

`Inverse` keeps only their mean. Where a profile maps distant raw colours to one captured colour, that mean is none of
them; `campro.inversion.preimage_selection` therefore selects one of the preimages, by the neighbours of the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt32

from campro.core.array_cache import cached_arrays
from campro.core.kernels import njit
from campro.inversion.inverse import bin_of, table_key
from campro.isp.lookup import colour_table
from campro.isp.profile import IspProfile

GROUP_RADIUS = 8
"""A raw colour within so many levels of the mean of a group, in every channel, joins the group: one preimage."""
MAX_GROUPS = 64
"""Most groups of one captured colour; further raw colours join the nearest group."""
STEPS_PER_HALVING = 8
"""Steps of the stored likelihood (8 bits, logarithmic) that halve it."""
COLOURS = 1 << 24


@dataclass(frozen=True)
class Preimages:
    """The preimages of all captured colours, in one array.

    The preimages of captured colour c are `entries[starts[i]:starts[i + 1]]` with i = `morton_index(c)`. An entry is
    w << 24 | red << 16 | green << 8 | blue: a raw colour whose likelihood is 2^(-w / STEPS_PER_HALVING) times that of
    the likeliest preimage. A captured colour that is not reachable has no entries.
    """

    starts: UInt32[np.ndarray, "16777217"]
    entries: UInt32[np.ndarray, " n"]

    @classmethod
    def stored(cls, profile: IspProfile, prior: Float[np.ndarray, " bins"]) -> Preimages:
        """As `of`, with the arrays (up to 128 MiB) from the cache folder, in which they are stored at the first time.

        Raises:
            CamproError: for a damaged file in the cache folder.
        """

        def compute() -> dict[str, np.ndarray]:
            computed = cls.of(profile, prior)
            return {"starts": computed.starts, "entries": computed.entries}

        return cls(**cached_arrays("preimages", table_key("preimages", profile, prior), compute))

    @classmethod
    def of(cls, profile: IspProfile, prior: Float[np.ndarray, " bins"]) -> Preimages:
        """The preimages of a pointwise profile (`is_pointwise`), with a prior as from `inverse.prior_from_photos`."""
        captured = colour_table(profile.blocks)
        return cls(*_grouped(np.ascontiguousarray(prior, np.float64), *_sorted(captured, *MORTON)))


def _morton_bits(channel: int) -> UInt32[np.ndarray, "256"]:
    levels, out = np.arange(256, dtype=np.uint32), np.zeros(256, np.uint32)
    for bit in range(8):
        out |= (levels >> bit & 1) << (3 * bit + channel)
    return out


MORTON = tuple(_morton_bits(channel) for channel in (2, 1, 0))
"""The part of a colour's index that each level of red, of green and of blue contributes. The bits of the three channels
alternate (Morton order), so similar colours are close in memory, which saves a quarter of the time.
"""


@njit(cache=True, inline="always")
def morton_index(colour, reds, greens, blues):
    """Index of a colour (red, green, blue) in `Preimages.starts`; the last three arguments are MORTON."""
    return np.uintp(reds[colour[0]] | greens[colour[1]] | blues[colour[2]])


@njit(inline="always")
def entry_range(colour, reds, greens, blues, starts):
    """Index of the first entry of a captured colour, and of the one after its last."""
    index = morton_index(colour, reds, greens, blues)
    return np.int64(starts[index]), np.int64(starts[index + 1])


@njit(inline="always")
def unpacked(entry):
    """Red, green and blue of an entry."""
    return np.int32((entry >> 16) & 255), np.int32((entry >> 8) & 255), np.int32(entry & 255)


@njit(cache=True)
def _sorted(captured, reds, greens, blues):
    """All raw colours in order of the index of their captured colour (counting sort), and where each index starts."""
    starts = np.zeros(COLOURS + 1, np.uint32)
    for raw in range(COLOURS):
        colour = captured[raw]
        starts[morton_index((colour >> 16, (colour >> 8) & 255, colour & 255), reds, greens, blues) + 1] += 1
    for index in range(COLOURS):
        starts[index + 1] += starts[index]
    order = np.empty(COLOURS, np.uint32)
    for raw in range(COLOURS):
        colour = captured[raw]
        index = morton_index((colour >> 16, (colour >> 8) & 255, colour & 255), reds, greens, blues)
        order[starts[index]] = raw
        starts[index] += 1
    for index in range(COLOURS, 0, -1):  # each entry has become the start of the next one
        starts[index] = starts[index - 1]
    starts[0] = 0
    return starts, order


@njit(cache=True)
def _grouped(prior, starts, order):
    """Merge nearby raw colours of each captured colour into groups, in one pass; an entry is the mean of a group.

    Both arrays are overwritten: there are no more groups than raw colours, and copies would need 128 MB.
    """
    middles, weights = np.empty((MAX_GROUPS, 3)), np.empty(MAX_GROUPS)
    written, end = 0, starts[0]
    for index in range(len(starts) - 1):
        begin, end = end, starts[index + 1]
        starts[index] = written
        count = 0
        for position in range(begin, end):
            raw = order[position]
            red, green, blue = raw >> 16, (raw >> 8) & 255, raw & 255
            group, nearest = -1, np.inf
            for other in range(count):
                far = max(abs(red - middles[other, 0]), abs(green - middles[other, 1]), abs(blue - middles[other, 2]))
                if far < nearest:
                    group, nearest = other, far
            if group < 0 or (nearest > GROUP_RADIUS and count < MAX_GROUPS):
                group = count
                count += 1
                middles[group], weights[group] = 0, 0
            weight = prior[bin_of(red, green, blue)]
            weights[group] += weight
            part = weight / weights[group]
            middles[group, 0] += (red - middles[group, 0]) * part
            middles[group, 1] += (green - middles[group, 1]) * part
            middles[group, 2] += (blue - middles[group, 2]) * part
        heaviest = weights[:count].max() if count else 1.0
        for group in range(count):
            entry = np.uint32(min(STEPS_PER_HALVING * np.log2(heaviest / weights[group]), 255.0))
            for channel in range(3):
                entry = (entry << np.uint32(8)) | np.uint32(middles[group, channel] + 0.5)
            order[written] = entry
            written += 1
    starts[-1] = written
    return starts, order[:written].copy()

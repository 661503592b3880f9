"""The exact inverse of a profile: a table of the posterior mean of the raw colour, given the captured colour.

A pointwise profile is a function f from 2^24 raw colours to 2^24 captured colours. Let p(r) be the prior probability of
raw colour r in photographs. The estimate with the least mean squared error of the raw colour behind a captured colour c
is its posterior mean,

    E[r | c] = sum of p(r) r / sum of p(r), both sums over the raw colours r with f(r) = c.

All raw colours go through f once, clipping and rounding included, so the sums are exact. The posterior variance of each
channel is kept as well, in four classes: the ambiguity of the captured colour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt32
from numba import prange

from campro.core.array_cache import cached_arrays
from campro.core.hashing import json_digest
from campro.core.images import read_image
from campro.core.kernels import njit
from campro.core.types import Rgb8
from campro.isp.lookup import colour_table, look_up
from campro.isp.profile import IspProfile

BIN_BITS = 5
"""Highest bits of each channel that select a bin of the colour histogram."""
BINS = 1 << (3 * BIN_BITS)
PSEUDO_COUNT = 0.1
"""Weight of a uniform distribution over all bins, where one photograph has the weight 1: no bin has probability 0."""
REACHABLE_BIT = 24
"""Bit of a table entry: 1 if the profile maps some raw colour to this captured colour."""
AMBIGUITY_SHIFT = 25
"""Lowest of the six bits of a table entry that hold the ambiguity code; bits 0 to 23 hold the colour."""
AMBIGUITY_THRESHOLDS = (2, 6, 14)
"""Posterior standard deviations, in levels, from which on a channel belongs to ambiguity class 1, 2 and 3."""
FALLBACK_BITS = (6, 4, 2, 0)
"""Bits per channel of the ever larger blocks of colours whose mean stands in for a colour that is not reachable."""
BLOCK_STARTS = tuple(sum(1 << 3 * bits for bits in FALLBACK_BITS[:place]) for place in range(len(FALLBACK_BITS) + 1))
"""Index of the first block of each size in the result of `_block_sums`."""
COLOURS, WEIGHT = 1 << 24, 3
"""Number of colours, and the number of the "channel" that stands for the weights themselves."""

TABLE_VERSION = 1
"""To be raised when a table of the same profile and prior changes."""

Table = UInt32[np.ndarray, "16777216"]


class Inverse:
    """The inverse table as an `ImageTransform`; it is exact for unprocessed camera output."""

    def __init__(self, profile: IspProfile, prior: Float[np.ndarray, " bins"], *, table: Table | None = None) -> None:
        """A pointwise profile (`campro.isp.pointwise.is_pointwise`), and a prior as from `prior_from_photos`.

        `table` is that of an earlier `Inverse` of the same profile and prior, which is then not computed again.
        """
        self.name = "inverse"
        self.digest = json_digest({"inverse": profile.digest, "prior": json_digest(prior.round(6).tolist())})
        self._table = inverse_table(profile, prior) if table is None else table

    @classmethod
    def stored(cls, profile: IspProfile, prior: Float[np.ndarray, " bins"]) -> Inverse:
        """The same with its table (64 MiB) from the cache folder, in which it is stored at the first time.

        Raises:
            CamproError: for a damaged file in the cache folder.
        """
        key = table_key("inverse", profile, prior)
        arrays = cached_arrays("inverse", key, lambda: {"table": inverse_table(profile, prior)})
        return cls(profile, prior, table=arrays["table"])

    def __call__(self, rgb: Rgb8) -> Rgb8:
        return look_up(rgb, self._table)

    def with_ambiguity(self, rgb: Rgb8) -> tuple[Rgb8, UInt8[np.ndarray, "H W"]]:
        """The recoloured picture, and the ambiguity code of every pixel (see `ambiguity_codes`)."""
        out, ambiguity = np.empty_like(rgb), np.empty(rgb.shape[:2], np.uint8)
        _look_up(np.ascontiguousarray(rgb), self._table, out, ambiguity)
        return out, ambiguity

    def reachable_share(self, rgb: Rgb8) -> float:
        """Share of pixels, 0 to 1, whose colour the profile can produce.

        It is 1 for unprocessed camera output, and lower after lossy compression, resizing or drawing.
        """
        return float((self._table[_packed(rgb)] >> REACHABLE_BIT & 1).mean())


def inverse_table(profile: IspProfile, prior: Float[np.ndarray, " bins"]) -> Table:
    """For each captured colour the posterior mean, the bit REACHABLE_BIT, and from AMBIGUITY_SHIFT the code."""
    captured = colour_table(profile.blocks)
    means, reachable = posterior_mean(captured, prior)
    return np.asarray(_entries(means, reachable, posterior_ambiguity(captured, prior, means)))


def table_key(kind: str, profile: IspProfile, prior: Float[np.ndarray, " bins"]) -> str:
    """Key of a stored table: the version of its algorithm, the blocks of the profile, and every bit of the prior."""
    content = hashlib.sha256(np.ascontiguousarray(prior, np.float64).tobytes()).hexdigest()
    return json_digest([kind, TABLE_VERSION, profile.digest, content])


def prior_from_photos(photos: Iterable[Path]) -> Float[np.ndarray, " bins"]:
    """`colour_histogram` of photographs."""
    return colour_histogram(map(read_image, photos))


def colour_histogram(pictures: Iterable[Rgb8]) -> Float[np.ndarray, " bins"]:
    """The colour histogram of pictures, BIN_BITS bits a channel; every picture has the same total weight, 1."""
    counts = np.zeros(BINS)
    for picture in pictures:
        rgb = picture >> (8 - BIN_BITS)
        index = (rgb[..., 0].astype(int) << (2 * BIN_BITS)) | (rgb[..., 1].astype(int) << BIN_BITS) | rgb[..., 2]
        counts += np.bincount(index.ravel(), minlength=BINS) / index.size
    return counts + PSEUDO_COUNT / BINS


def posterior_mean(
    captured: UInt32[np.ndarray, "16777216"], prior: Float[np.ndarray, " bins"]
) -> tuple[UInt8[np.ndarray, "16777216 3"], Bool[np.ndarray, "16777216"]]:
    """The posterior mean of the raw colour for each captured colour, and whether that captured colour is reachable.

    `captured` is the profile's `colour_table`: the captured colour of every raw colour. A colour that is not reachable
    gets the mean over the smallest block of colours around it that contains a reachable one (FALLBACK_BITS).
    """
    prior = np.ascontiguousarray(prior, np.float64)
    table, weights = np.empty((COLOURS, 3), np.uint8), _sums(captured, prior, WEIGHT)
    weight_blocks = _block_sums(weights)
    for channel in range(3):  # one by one: all at once need a gigabyte more
        sums = _sums(captured, prior, channel)
        _means(table[:, channel], weights, sums, weight_blocks, _block_sums(sums))
    return table, weights > 0


def posterior_ambiguity(
    captured: UInt32[np.ndarray, "16777216"],
    prior: Float[np.ndarray, " bins"],
    means: UInt8[np.ndarray, "16777216 3"],
) -> UInt8[np.ndarray, "16777216"]:
    """The ambiguity code of each captured colour; 63, the highest, for colours that are not reachable.

    `captured` and `prior` as for `posterior_mean`, whose first result is `means`.
    """
    prior, codes = np.ascontiguousarray(prior, np.float64), np.zeros(COLOURS, np.uint8)
    weights = _squares(captured, prior, means, WEIGHT)
    for channel in range(3):
        squares = _squares(captured, prior, means, channel)
        _add_classes(codes, channel, squares, weights, np.array(AMBIGUITY_THRESHOLDS, np.float32) ** 2)
    return codes


def ambiguity_codes(variances: Float[np.ndarray, "n 3"]) -> UInt8[np.ndarray, " n"]:
    """Ambiguity classes, 0 (certain) to 3, two bits a channel: red in bits 0-1, green in bits 2-3, blue in bits 4-5.

    `variances` are posterior variances of red, green and blue in squared levels; see AMBIGUITY_THRESHOLDS.

    >>> int(ambiguity_codes(np.array([[0.0, 10.0**2, 30.0**2]]))[0]) == 0 + (2 << 2) + (3 << 4)
    True
    """
    classes = sum((variances >= start**2).astype(np.uint8) for start in AMBIGUITY_THRESHOLDS)
    red, green, blue = np.asarray(classes).T
    return np.asarray(red | green << 2 | blue << 4)


def _packed(rgb: UInt8[np.ndarray, "... 3"]) -> UInt32[np.ndarray, "..."]:
    red, green, blue = (rgb[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray((red << 16) | (green << 8) | blue)


@njit(cache=True, inline="always")
def bin_of(red, green, blue):
    """Index of a colour's bin in a prior."""
    down = 8 - BIN_BITS
    return ((red >> down) << (2 * BIN_BITS)) | ((green >> down) << BIN_BITS) | (blue >> down)


@njit(cache=True)
def _sums(captured, prior, channel):
    """For each captured colour: the weights of its raw colours times their channel 0, 1 or 2, or (WEIGHT) times 1."""
    sums = np.zeros(len(captured))
    down = 16 - 8 * channel
    for raw in range(len(captured)):
        weight = prior[bin_of(raw >> 16, (raw >> 8) & 255, raw & 255)]
        sums[captured[raw]] += weight if channel == WEIGHT else weight * ((raw >> down) & 255)
    return sums


@njit(cache=True)
def _block_sums(sums):
    """Sums over the blocks of colours of FALLBACK_BITS, one array after the other; see `_block`."""
    total = np.zeros(BLOCK_STARTS[-1])
    for colour in range(len(sums)):
        total[_block(colour, 0)] += sums[colour]
    for place in range(1, len(FALLBACK_BITS)):
        finer, bits = FALLBACK_BITS[place - 1], FALLBACK_BITS[place]
        for index in range(1 << 3 * finer):
            blue, green, red = index & ((1 << finer) - 1), (index >> finer) & ((1 << finer) - 1), index >> 2 * finer
            less = finer - bits
            block = ((red >> less) << 2 * bits) | ((green >> less) << bits) | (blue >> less)
            total[BLOCK_STARTS[place] + block] += total[BLOCK_STARTS[place - 1] + index]
    return total


@njit(cache=True, inline="always")
def _block(colour, place):
    """Index in `_block_sums` of the block of a colour with FALLBACK_BITS[place] bits per channel."""
    bits = FALLBACK_BITS[place]
    down = 8 - bits
    red, green, blue = colour >> 16, (colour >> 8) & 255, colour & 255
    return BLOCK_STARTS[place] + (((red >> down) << 2 * bits) | ((green >> down) << bits) | (blue >> down))


@njit(cache=True)
def _means(out, weights, sums, weight_blocks, blocks):
    """Write the mean of each captured colour into `out`; of its smallest block with a weight if it has none itself."""
    for colour in range(len(sums)):
        weight, total, place = weights[colour], sums[colour], 0
        while weight <= 0 and place < len(FALLBACK_BITS):
            weight, total = weight_blocks[_block(colour, place)], blocks[_block(colour, place)]
            place += 1
        out[colour] = np.uint8(np.floor(total / max(weight, 1e-300) + 0.5))


@njit(cache=True)
def _squares(captured, prior, means, channel):
    """For each captured colour: weighted squared deviations of its raw colours in a channel; or (WEIGHT) weights."""
    sums = np.zeros(len(captured), np.float32)
    down = 16 - 8 * channel
    for raw in range(len(captured)):
        weight = prior[bin_of(raw >> 16, (raw >> 8) & 255, raw & 255)]
        colour = captured[raw]
        if channel == WEIGHT:
            sums[colour] += weight
        else:
            sums[colour] += (((raw >> down) & 255) - np.int64(means[colour, channel])) ** 2 * weight
    return sums


@njit(cache=True)
def _add_classes(codes, channel, squares, weights, thresholds):
    """Add the ambiguity class of a channel to the code of each colour; class 3 if it is not reachable."""
    for colour in range(len(codes)):
        variance = squares[colour] / weights[colour] if weights[colour] > 0 else np.float32(255**2)
        for threshold in thresholds:
            codes[colour] += np.uint8(variance >= threshold) << np.uint8(2 * channel)


@njit(cache=True)
def _entries(means, reachable, codes):
    """The entries of the inverse table."""
    table = np.empty(len(means), np.uint32)
    for colour in range(len(means)):
        entry = (np.uint32(means[colour, 0]) << 16) | (np.uint32(means[colour, 1]) << 8) | means[colour, 2]
        entry |= np.uint32(reachable[colour]) << REACHABLE_BIT
        table[colour] = entry | (np.uint32(codes[colour]) << AMBIGUITY_SHIFT)
    return table


@njit(cache=True, parallel=True, nogil=True)
def _look_up(rgb, table, out, ambiguity):
    for y in prange(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            entry = table[(np.uint32(rgb[y, x, 0]) << 16) | (np.uint32(rgb[y, x, 1]) << 8) | rgb[y, x, 2]]
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = (entry >> 16) & 255, (entry >> 8) & 255, entry & 255
            ambiguity[y, x] = entry >> AMBIGUITY_SHIFT

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
from jaxtyping import Bool, Float, Float64, UInt8, UInt32
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
    codes = ambiguity_codes(_variances(captured, np.ascontiguousarray(prior, np.float64), means))
    flags = (reachable.astype(np.uint32) << REACHABLE_BIT) | (codes.astype(np.uint32) << AMBIGUITY_SHIFT)
    return _packed(means) | flags


def table_key(kind: str, profile: IspProfile, prior: Float[np.ndarray, " bins"]) -> str:
    """Key of a stored table: the version of its algorithm, the blocks of the profile, and every bit of the prior."""
    content = hashlib.sha256(np.ascontiguousarray(prior, np.float64).tobytes()).hexdigest()
    return json_digest([kind, TABLE_VERSION, profile.digest, content])


def prior_from_photos(photos: Iterable[Path]) -> Float[np.ndarray, " bins"]:
    """The colour histogram of photographs, BIN_BITS bits a channel; every photograph has the same total weight, 1."""
    counts = np.zeros(BINS)
    for photo in photos:
        rgb = read_image(photo) >> (8 - BIN_BITS)
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
    sums = _sums(captured, np.ascontiguousarray(prior, np.float64)).reshape(256, 256, 256, 4)
    table, reachable = _means(sums), sums[..., 0] > 0
    missing, total = ~reachable, sums
    for bits in FALLBACK_BITS:
        count, part = 1 << bits, len(total) >> bits
        total = total.reshape(count, part, count, part, count, part, 4).sum((1, 3, 5))
        found = missing & _repeated(total[..., 0] > 0)
        table[found] = _repeated(_means(total))[found]
        missing &= ~found
    return table.reshape(-1, 3), reachable.reshape(-1)


def ambiguity_codes(variances: Float[np.ndarray, "n 3"]) -> UInt8[np.ndarray, " n"]:
    """Ambiguity classes, 0 (certain) to 3, two bits a channel: red in bits 0-1, green in bits 2-3, blue in bits 4-5.

    `variances` are posterior variances of red, green and blue in squared levels; see AMBIGUITY_THRESHOLDS.

    >>> int(ambiguity_codes(np.array([[0.0, 10.0**2, 30.0**2]]))[0]) == 0 + (2 << 2) + (3 << 4)
    True
    """
    classes = sum((variances >= start**2).astype(np.uint8) for start in AMBIGUITY_THRESHOLDS)
    red, green, blue = np.asarray(classes).T
    return np.asarray(red | green << 2 | blue << 4)


def _means(sums: Float64[np.ndarray, "n n n 4"]) -> UInt8[np.ndarray, "n n n 3"]:
    return np.floor(sums[..., 1:] / np.maximum(sums[..., :1], 1e-300) + 0.5).astype(np.uint8)


def _repeated(blocks: np.ndarray) -> np.ndarray:
    """Values of blocks of colours, repeated to one value for each of 256 x 256 x 256 colours."""
    for axis in range(3):
        blocks = blocks.repeat(256 // blocks.shape[axis], axis)
    return blocks


def _packed(rgb: UInt8[np.ndarray, "... 3"]) -> UInt32[np.ndarray, "..."]:
    red, green, blue = (rgb[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray((red << 16) | (green << 8) | blue)


@njit(cache=True, inline="always")
def bin_of(red, green, blue):
    """Index of a colour's bin in a prior."""
    down = 8 - BIN_BITS
    return ((red >> down) << (2 * BIN_BITS)) | ((green >> down) << BIN_BITS) | (blue >> down)


@njit(cache=True)
def _sums(captured, prior):
    """For each captured colour: sum of the weights of its raw colours, and their weighted red, green and blue."""
    sums = np.zeros((len(captured), 4))
    for raw in range(len(captured)):
        red, green, blue = raw >> 16, (raw >> 8) & 255, raw & 255
        weight = prior[bin_of(red, green, blue)]
        colour = captured[raw]
        sums[colour, 0] += weight
        sums[colour, 1] += weight * red
        sums[colour, 2] += weight * green
        sums[colour, 3] += weight * blue
    return sums


@njit(cache=True)
def _variances(captured, prior, means):
    """For each captured colour: posterior variance of red, green and blue; 255^2 where it is not reachable."""
    sums = np.zeros((len(captured), 4), np.float32)
    for raw in range(len(captured)):
        red, green, blue = raw >> 16, (raw >> 8) & 255, raw & 255
        weight = prior[bin_of(red, green, blue)]
        colour = captured[raw]
        sums[colour, 0] += (red - means[colour, 0]) ** 2 * weight
        sums[colour, 1] += (green - means[colour, 1]) ** 2 * weight
        sums[colour, 2] += (blue - means[colour, 2]) ** 2 * weight
        sums[colour, 3] += weight
    for colour in range(len(captured)):
        reachable = sums[colour, 3] > 0
        for channel in range(3):
            sums[colour, channel] = sums[colour, channel] / sums[colour, 3] if reachable else np.float32(255**2)
    return sums[:, :3]


@njit(cache=True, parallel=True, nogil=True)
def _look_up(rgb, table, out, ambiguity):
    for y in prange(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            entry = table[(np.uint32(rgb[y, x, 0]) << 16) | (np.uint32(rgb[y, x, 1]) << 8) | rgb[y, x, 2]]
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = (entry >> 16) & 255, (entry >> 8) & 255, entry & 255
            ambiguity[y, x] = entry >> AMBIGUITY_SHIFT

"""What a captured colour was, as far as the profile tells: the mean of all raw colours that it made one.

The profile is a function of 2^24 colours. All of them go through it once, clipping and rounding included, each as
likely as it is in photographs; what a captured colour probably was is then the mean over those that became it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8, UInt32
from numba import njit, prange

from campro.core.hashing import json_digest
from campro.core.images import read_image
from campro.core.types import Rgb8
from campro.isp.lookup import colour_table, look_up
from campro.isp.profile import IspProfile

BITS = 5
"""Of each channel, to count how likely colours are in photographs."""
CELLS = 1 << (3 * BITS)
UNSEEN = 0.1
"""Photographs of evenly spread colours that are counted beside the real ones."""
MADE = 24
"""The bit of a table's entry that says whether any raw colour becomes this one."""
SPREAD = 25
"""The first of six bits, of what `spread_codes` hands out."""
SPREADS = (2, 6, 14)
"""Levels of standard deviation from which on a channel counts as of the next of four classes of spread."""
COARSE = (6, 4, 2, 0)
"""Bits to which colours are cut that no raw colour becomes, until a neighbourhood has an answer."""


class Inverse:
    """A table of 2^24 colours as an `ImageTransform`, exact for pictures as the camera made them."""

    def __init__(self, profile: IspProfile, prior: Float[np.ndarray, " cells"]) -> None:
        """A profile that maps colours alone (`is_pointwise`); `prior` as from `prior_of`."""
        self.name = "inverse"
        self.digest = json_digest({"inverse": profile.digest, "prior": json_digest(prior.round(6).tolist())})
        captured = colour_table(profile.blocks)
        table, made = posterior_mean(captured, prior)
        spread = spread_codes(_variances(captured, np.ascontiguousarray(prior, np.float64), table))
        self._table = _packed(table) | (made.astype(np.uint32) << MADE) | (spread.astype(np.uint32) << SPREAD)

    def __call__(self, rgb: Rgb8) -> Rgb8:
        return look_up(rgb, self._table)

    def with_spread(self, rgb: Rgb8) -> tuple[Rgb8, UInt8[np.ndarray, "H W"]]:
        """Also how far apart the raw colours are that each pixel may have had, as `spread_codes` puts it."""
        out, spread = np.empty_like(rgb), np.empty(rgb.shape[:2], np.uint8)
        _look_up(np.ascontiguousarray(rgb), self._table, out, spread)
        return out, spread

    def made(self, rgb: Rgb8) -> float:
        """Share of the pixels whose colour the camera can hand out: 1 until a picture is compressed or drawn on."""
        return float((self._table[_packed(rgb)] >> MADE & 1).mean())


def prior_of(photos: Iterable[Path]) -> Float[np.ndarray, " cells"]:
    """How likely a raw colour is, by cell of its highest bits."""
    counts = np.zeros(CELLS)
    for photo in photos:
        rgb = read_image(photo) >> (8 - BITS)
        index = (rgb[..., 0].astype(int) << (2 * BITS)) | (rgb[..., 1].astype(int) << BITS) | rgb[..., 2]
        counts += np.bincount(index.ravel(), minlength=CELLS) / index.size
    return counts + UNSEEN / CELLS


def posterior_mean(
    captured: UInt32[np.ndarray, "16777216"], prior: Float[np.ndarray, " cells"]
) -> tuple[UInt8[np.ndarray, "16777216 3"], Bool[np.ndarray, "16777216"]]:
    """For each captured colour the mean raw one, and whether any raw colour becomes it.

    Of colours that never occur, the mean of their neighbourhood.
    """
    sums = _sums(captured, np.ascontiguousarray(prior, np.float64)).reshape(256, 256, 256, 4)
    table, made = _means(sums), sums[..., 0] > 0
    left, total = ~made, sums
    for bits in COARSE:
        count, part = 1 << bits, len(total) >> bits
        total = total.reshape(count, part, count, part, count, part, 4).sum((1, 3, 5))
        known = left & _spread(total[..., 0] > 0)
        table[known] = _spread(_means(total))[known]
        left &= ~known
    return table.reshape(-1, 3), made.reshape(-1)


def spread_codes(variances: Float[np.ndarray, "n 3"]) -> UInt8[np.ndarray, " n"]:
    """The class of each channel, two bits each, red in the lowest; variances in squares of levels.

    >>> int(spread_codes(np.array([[0.0, 10.0**2, 30.0**2]]))[0]) == 0 + (2 << 2) + (3 << 4)
    True
    """
    classes = sum((variances >= start**2).astype(np.uint8) for start in SPREADS)
    red, green, blue = np.asarray(classes).T
    return np.asarray(red | green << 2 | blue << 4)


def _means(sums: Float64[np.ndarray, "n n n 4"]) -> UInt8[np.ndarray, "n n n 3"]:
    return np.floor(sums[..., 1:] / np.maximum(sums[..., :1], 1e-300) + 0.5).astype(np.uint8)


def _spread(cells: np.ndarray) -> np.ndarray:
    """Each cell repeated over its colours, to 256 a side."""
    for axis in range(3):
        cells = cells.repeat(256 // cells.shape[axis], axis)
    return cells


def _packed(rgb: UInt8[np.ndarray, "... 3"]) -> UInt32[np.ndarray, "..."]:
    red, green, blue = (rgb[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray((red << 16) | (green << 8) | blue)


@njit(cache=True, inline="always")
def cell(red, green, blue):
    """Where a prior has a colour."""
    down = 8 - BITS
    return ((red >> down) << (2 * BITS)) | ((green >> down) << BITS) | (blue >> down)


@njit(cache=True)
def _sums(captured, prior):
    """Of each captured colour the weight of all raw colours that become it, and their weighted sum."""
    sums = np.zeros((len(captured), 4))
    for raw in range(len(captured)):
        red, green, blue = raw >> 16, (raw >> 8) & 255, raw & 255
        weight = prior[cell(red, green, blue)]
        colour = captured[raw]
        sums[colour, 0] += weight
        sums[colour, 1] += weight * red
        sums[colour, 2] += weight * green
        sums[colour, 3] += weight * blue
    return sums


@njit(cache=True)
def _variances(captured, prior, means):
    """Of each captured colour those of the raw colours that become it; beyond all classes where there is none."""
    sums = np.zeros((len(captured), 4), np.float32)
    for raw in range(len(captured)):
        red, green, blue = raw >> 16, (raw >> 8) & 255, raw & 255
        weight = prior[cell(red, green, blue)]
        colour = captured[raw]
        sums[colour, 0] += (red - means[colour, 0]) ** 2 * weight
        sums[colour, 1] += (green - means[colour, 1]) ** 2 * weight
        sums[colour, 2] += (blue - means[colour, 2]) ** 2 * weight
        sums[colour, 3] += weight
    for colour in range(len(captured)):
        known = sums[colour, 3] > 0
        for channel in range(3):
            sums[colour, channel] = sums[colour, channel] / sums[colour, 3] if known else np.float32(255**2)
    return sums[:, :3]


@njit(cache=True, parallel=True, nogil=True)
def _look_up(rgb, table, out, spread):
    for y in prange(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            entry = table[(np.uint32(rgb[y, x, 0]) << 16) | (np.uint32(rgb[y, x, 1]) << 8) | rgb[y, x, 2]]
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = (entry >> 16) & 255, (entry >> 8) & 255, entry & 255
            spread[y, x] = entry >> SPREAD

"""What a captured colour was, as far as the profile tells: the mean of all raw colours that it made one.

The profile is a function of 2^24 colours. All of them go through it once, clipping and rounding included, each as
likely as it is in photographs; what a captured colour probably was is then the mean over those that became it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8, UInt32
from numba import njit

from campro.core.hashing import json_digest
from campro.core.images import read_image
from campro.core.types import Rgb8
from campro.isp.fast import colour_table, look_up
from campro.isp.profile import IspProfile

BITS = 5
"""Of each channel, to count how likely colours are in photographs."""
CELLS = 1 << (3 * BITS)
UNSEEN = 0.1
"""Photographs of evenly spread colours that are counted beside the real ones."""
MADE = 24
"""The bit of a table's entry that says whether any raw colour becomes this one."""
COARSE = (6, 4, 2, 0)
"""Bits to which colours are cut that no raw colour becomes, until a neighbourhood has an answer."""


class Inverse:
    """A table of 2^24 colours as an `ImageTransform`, exact for pictures as the camera made them."""

    def __init__(self, profile: IspProfile, prior: Float[np.ndarray, " cells"]) -> None:
        """A profile that maps colours alone (`is_pointwise`); `prior` as from `prior_of`."""
        self.name = "inverse"
        self.digest = json_digest({"inverse": profile.digest, "prior": json_digest(prior.round(6).tolist())})
        table, made = posterior_mean(colour_table(profile.blocks), prior)
        self._table = _packed(table) | (made.astype(np.uint32) << MADE)

    def __call__(self, rgb: Rgb8) -> Rgb8:
        return look_up(rgb, self._table)

    def made(self, rgb: Rgb8) -> float:
        """Share of the pixels whose colour the camera can hand out: 1 until a picture is compressed or drawn on."""
        return float((self._table[_packed(rgb)] >> MADE).mean())


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


@njit(cache=True)
def _sums(captured, prior):
    """Of each captured colour the weight of all raw colours that become it, and their weighted sum."""
    sums = np.zeros((len(captured), 4))
    down = 8 - BITS
    for raw in range(len(captured)):
        red, green, blue = raw >> 16, (raw >> 8) & 255, raw & 255
        weight = prior[((red >> down) << (2 * BITS)) | ((green >> down) << BITS) | (blue >> down)]
        colour = captured[raw]
        sums[colour, 0] += weight
        sums[colour, 1] += weight * red
        sums[colour, 2] += weight * green
        sums[colour, 3] += weight * blue
    return sums

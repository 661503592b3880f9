"""The best that colours alone can do for one who knows the profile: the mean of all raw colours that it made one.

The profile is a function of 2^24 colours. All of them go through it once, clipping and rounding included, each as
likely as it is in photographs; what a captured colour probably was is then the mean over those that became it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8, UInt32

from campro.attacks.attack import Adversary, Attack, Known, Runs
from campro.core.hashing import json_digest
from campro.core.images import read_image
from campro.core.types import Rgb8
from campro.isp import IspProfile
from campro.isp.fast import colour_table, is_pointwise

BITS = 5
"""Of each channel, to count how likely colours are in photographs."""
UNSEEN = 0.1
"""Photographs of evenly spread colours that are counted beside the real ones."""
COARSE = (6, 4, 2, 0)
"""Bits to which colours are cut that no raw colour becomes, until a neighbourhood has an answer."""
PHOTOS = 300


class Inverse:
    """A table of 2^24 colours as an `ImageTransform`."""

    def __init__(self, profile: IspProfile, prior: Float[np.ndarray, " cells"]) -> None:
        self.name = "inverse"
        self.digest = json_digest({"inverse": profile.digest, "prior": json_digest(prior.round(6).tolist())})
        self._table = posterior_mean(colour_table(profile.blocks), prior)

    def __call__(self, rgb: Rgb8) -> Rgb8:
        packed = (rgb[..., 0].astype(np.uint32) << 16) | (rgb[..., 1].astype(np.uint32) << 8) | rgb[..., 2]
        return np.asarray(self._table[packed])


def prior_of(photos: Iterable[Path]) -> Float[np.ndarray, " cells"]:
    """How likely a raw colour is, by cell of its highest bits."""
    cells = 1 << (3 * BITS)
    counts = np.zeros(cells)
    for photo in photos:
        rgb = read_image(photo) >> (8 - BITS)
        index = (rgb[..., 0].astype(int) << (2 * BITS)) | (rgb[..., 1].astype(int) << BITS) | rgb[..., 2]
        counts += np.bincount(index.ravel(), minlength=cells) / index.size
    return counts + UNSEEN / cells


def posterior_mean(
    captured: UInt32[np.ndarray, "16777216"], prior: Float[np.ndarray, " cells"]
) -> UInt8[np.ndarray, "16777216 3"]:
    """For each captured colour the mean raw one; of colours that never occur, of their neighbourhood."""
    raw = np.arange(1 << 24, dtype=np.uint32)
    weight = prior[_coarse(raw, BITS)]
    total = np.bincount(captured, weight, 1 << 24)
    sums = [np.bincount(captured, weight * ((raw >> shift) & 255), 1 << 24) for shift in (16, 8, 0)]
    table = np.empty((1 << 24, 3), np.uint8)
    left = np.ones(1 << 24, bool)
    for bits in (8, *COARSE):
        coarse = _coarse(raw, bits)
        known = np.bincount(coarse, total)
        use = left & (known[coarse] > 0)
        for channel, values in enumerate(sums):
            mean = np.bincount(coarse, values) / np.maximum(known, 1e-300)
            table[use, channel] = np.floor(mean[coarse[use]] + 0.5)
        left &= ~use
    return table


def _coarse(packed: UInt32[np.ndarray, " N"], bits: int) -> UInt32[np.ndarray, " N"]:
    """Cells of packed colours, by the highest bits of each channel."""
    red, green, blue = (((packed >> shift) & 255) >> (8 - bits) for shift in (16, 8, 0))
    return np.asarray((red << 2 * bits) | (green << bits) | blue, np.uint32)


def inverse_runs(known: Known) -> Runs:
    """The table; a profile that blurs has none."""
    return {"inverse": lambda: Adversary((inverse_of(known),))} if has_inverse(known) else {}


def has_inverse(known: Known) -> bool:
    """Whether the profile is a function of colours alone."""
    return is_pointwise(known.profile.blocks)


@lru_cache(maxsize=1)
def inverse_of(known: Known) -> Inverse:
    """With a prior from photographs of anything."""
    order = np.random.default_rng(known.seed).permutation(len(known.photos))[:PHOTOS]
    return Inverse(known.profile, prior_of(known.photos[row] for row in order))


INVERSE = Attack("inverse", "white", "the profile", inverse_runs)

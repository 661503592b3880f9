"""Difference of two point-wise profiles over all 8-bit colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from campro.isp.eight_bit import apply_pointwise
from campro.isp.profile import IspProfile

REDS = 4
"""Levels of red compared at once: with all greens and blues 2^18 colours, few enough for the processor's cache."""


@dataclass(frozen=True)
class Difference:
    """Absolute difference of two profiles' outputs over all 2^24 colours, in 8-bit levels."""

    largest: int
    mean: float
    """Mean over colours and channels."""


def difference(one: IspProfile, other: IspProfile) -> Difference:
    """Compare the outputs of two point-wise profiles for every 8-bit colour."""
    if one.blocks == other.blocks:
        return Difference(0, 0.0)
    largest = total = 0
    every = np.arange(256, dtype=np.uint8)
    colours = np.stack(np.meshgrid(every[:REDS], every, every, indexing="ij"), -1)
    for _ in range(256 // REDS):
        levels = [apply_pointwise(profile.blocks, colours).astype(np.int16) for profile in (one, other)]
        apart = np.abs(levels[0] - levels[1])
        largest, total = max(largest, int(apart.max())), total + int(apart.sum())
        colours[..., 0] += REDS  # after the last part it wraps around
    return Difference(largest, total / (3 * 256**3))

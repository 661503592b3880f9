"""Difference of two point-wise profiles over all 8-bit colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from campro.isp.lookup import colour_table
from campro.isp.profile import IspProfile

PART = 1 << 16
"""Colours compared at once, so that they fit into the processor's cache."""


@dataclass(frozen=True)
class Difference:
    """Absolute difference of two profiles' outputs over all 2^24 colours, in 8-bit levels."""

    largest: int
    mean: float
    """Mean over colours and channels."""


def difference(one: IspProfile, other: IspProfile) -> Difference:
    """Compare the outputs of two point-wise profiles for every 8-bit colour."""
    tables = [colour_table(profile.blocks) for profile in (one, other)]
    if tables[0] is tables[1]:
        return Difference(0, 0.0)
    largest = total = 0
    for start in range(0, len(tables[0]), PART):
        # Bytes 0 to 2 are the channels; byte 3 is 0.
        levels = [table[start : start + PART].view(np.uint8).astype(np.int16) for table in tables]
        apart = np.abs(levels[0] - levels[1])
        largest, total = max(largest, int(apart.max())), total + int(apart.sum())
    return Difference(largest, total / (3 * len(tables[0])))

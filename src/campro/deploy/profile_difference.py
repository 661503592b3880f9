"""Difference of two point-wise profiles over all 8-bit colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16

from campro.isp.lookup import colour_table
from campro.isp.profile import IspProfile


@dataclass(frozen=True)
class Difference:
    """Absolute difference of two profiles' outputs over all 2^24 colours, in 8-bit levels."""

    largest: int
    mean: float
    """Mean over colours and channels."""


def difference(one: IspProfile, other: IspProfile) -> Difference:
    """Compare the outputs of two point-wise profiles for every 8-bit colour."""
    channels = [np.abs(a - b) for a, b in zip(_outputs(one), _outputs(other))]
    return Difference(int(max(channel.max() for channel in channels)), float(np.mean([c.mean() for c in channels])))


def _outputs(profile: IspProfile) -> list[Int16[np.ndarray, "16777216"]]:
    """Output levels of red, green and blue for every input colour."""
    table = colour_table(profile.blocks)
    return [(table >> shift & 255).astype(np.int16) for shift in (16, 8, 0)]

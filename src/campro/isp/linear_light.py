"""sRGB levels as linear light in float64, for the 8-bit path; `functional.degamma` is the differentiable twin."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float

ROUNDING: dict[str, dict[int, int]] = {
    "power-2.2": {56: 1, 59: 1, 117: 1, 123: 1, 179: 1},
    "srgb": {16: -1, 41: 1, 48: 1, 75: 1, 165: -1, 219: 1},
}
"""Levels at which PyTorch's vectorised power is off by a unit in the last place: all figures of profiles were measured
with these values, so they belong to the definition."""


@lru_cache
def linear_levels(curve: str) -> Float[np.ndarray, "256"]:
    """Linear light, 0 to 1, of the levels 0 to 255: x^2.2, or the exact curve of IEC 61966-2-1 ("srgb").

    >>> round(float(linear_levels("srgb")[128]), 4)
    0.2159
    """
    levels = np.array([_power(level / 255) if curve == "power-2.2" else _srgb(level / 255) for level in range(256)])
    for level, units in ROUNDING[curve].items():
        levels[level] = np.nextafter(levels[level], math.copysign(math.inf, units))
    levels.setflags(write=False)
    return levels


def _power(value: float) -> float:
    return math.pow(value, 2.2)


def _srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else math.pow((value + 0.055) / 1.055, 2.4)

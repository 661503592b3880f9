"""Fit of a camera's noise model: variance over signal, measured in flat areas of its pictures.

If all areas have texture, noise is overestimated; a shot of a plain wall among the others avoids it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

from campro.core.types import Rgb8
from campro.deploy.shot_pairs import squares
from campro.isp.profile import MeasuredDegamma, SensorNoise

SQUARE = 16
"""Side of an area in pixels; a plane is subtracted from each area, which removes gradients."""
QUANTILE = 0.1
"""Quantile of the areas' variances that is taken for the noise at a level: areas with texture have larger variances."""
BINS, MIN_AREAS = 24, 40
"""Number of bins of levels; bins with fewer areas are ignored."""
UNCLIPPED = (8, 247)
"""Range of levels."""
ROUNDING = 1 / 12
"""Variance of rounding to 8-bit levels, in squared levels."""


def fit_noise(pictures: Iterable[Rgb8], tone: MeasuredDegamma, seed: int = 0) -> SensorNoise | None:
    """Fit noise with variance shot * x + read^2 at linear light x in [0, 1].

    Args:
        pictures: Shots with the camera's default parameters.
        tone: The camera's measured tone curve.
        seed: Seed of the simulated noise.

    Returns:
        The noise block; None if fewer than two levels have enough flat areas.
    """
    from scipy.stats import chi2  # slow to import

    levels, variances = _areas(pictures)
    edges = np.linspace(*UNCLIPPED, BINS + 1)
    freedom = SQUARE * SQUARE - 3
    expected = chi2.ppf(QUANTILE, freedom) / freedom  # the quantile of pure noise with variance 1
    signal, variance, weight, bins = [], [], [], []
    for channel in range(3):  # one fit for all channels, whose noise differs
        for low, high in pairwise(edges.tolist()):
            inside = (levels[:, channel] >= low) & (levels[:, channel] < high)
            if inside.sum() >= MIN_AREAS:
                bins.append(low)
                level = float(levels[inside, channel].mean())
                found = np.quantile(variances[inside, channel], QUANTILE) / expected - ROUNDING
                light, slope = _light(tone, level)
                signal.append(light)
                variance.append(max(found, 0.0) * slope**2)
                weight.append(1 / slope**2)  # equal errors in levels
    if len(set(bins)) < 2:  # a line needs two levels
        return None
    rows = np.stack([signal, np.ones(len(signal))], 1)
    (shot, square), _ = nnls(rows * np.array(weight)[:, None], np.array(variance) * weight)
    return SensorNoise(min(float(shot), 1.0), min(float(np.sqrt(square)), 1.0), seed)


def _areas(pictures: Iterable[Rgb8]) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Mean level, and variance around a plane, of each area and channel; areas with clipped pixels are left out."""
    y, x = np.mgrid[:SQUARE, :SQUARE]
    plane, _ = np.linalg.qr(np.stack([np.ones(SQUARE * SQUARE), x.ravel(), y.ravel()], 1))
    levels, variances = [], []
    for rgb in pictures:
        areas = squares(rgb, SQUARE).astype(float)
        areas = areas[(areas.min((1, 2)) > 0) & (areas.max((1, 2)) < 255)]
        levels.append(areas.mean(1))
        fitted = np.einsum("npc,pk->nkc", areas, plane)
        left = np.square(areas).sum(1) - np.square(fitted).sum(1)
        variances.append(left.clip(0) / (SQUARE * SQUARE - 3))
    return np.concatenate(levels), np.concatenate(variances)


def _light(tone: MeasuredDegamma, level: float) -> tuple[float, float]:
    """Linear light at a level (0 to 255), and its slope per level."""
    even = np.linspace(0, 255, len(tone.values))
    below, here, above = (float(np.interp(level + step, even, tone.values)) for step in (-4, 0, 4))
    return here, max((above - below) / 8, 1e-6)

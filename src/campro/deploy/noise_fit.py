"""How noisy a camera is: variance over signal, from places of its pictures where nothing is to be seen but noise.

Where every place has texture, noise is overestimated: a shot of a plain wall among the others helps.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls
from scipy.stats import chi2

from campro.core.types import Rgb8
from campro.deploy.shot_pairs import squares
from campro.isp.profile import MeasuredDegamma, SensorNoise

SQUARE = 16
"""Side of a place, in pixels; a plane is taken out of each."""
QUIET = 0.1
"""The variance of flat places at a level is read from this quantile of all places there: many others have texture."""
BINS, FEWEST = 24, 40
"""Levels are told apart in so many bins; bins with fewer places say nothing."""
SHOWN = (8, 247)
ROUNDING = 1 / 12
"""Variance that rounding to levels adds."""


def fit_noise(pictures: Iterable[Rgb8], tone: MeasuredDegamma, seed: int = 0) -> SensorNoise | None:
    """Noise of variance shot x + read^2 on linear light; None where too little of the pictures is flat."""
    levels, variances = _places(pictures)
    edges = np.linspace(*SHOWN, BINS + 1)
    freedom = SQUARE * SQUARE - 3
    expected = chi2.ppf(QUIET, freedom) / freedom  # of the quantile, where all that varies is noise
    signal, variance, weight, told = [], [], [], []
    for channel in range(3):  # a camera's channels are not equally noisy: the fit is their mean
        for low, high in pairwise(edges.tolist()):
            inside = (levels[:, channel] >= low) & (levels[:, channel] < high)
            if inside.sum() >= FEWEST:
                told.append(low)
                level = float(levels[inside, channel].mean())
                found = np.quantile(variances[inside, channel], QUIET) / expected - ROUNDING
                light, slope = _light(tone, level)
                signal.append(light)
                variance.append(max(found, 0.0) * slope**2)
                weight.append(1 / slope**2)  # equal errors in levels
    if len(set(told)) < 2:  # a line needs two levels
        return None
    rows = np.stack([signal, np.ones(len(signal))], 1)
    (shot, square), _ = nnls(rows * np.array(weight)[:, None], np.array(variance) * weight)
    return SensorNoise(min(float(shot), 1.0), min(float(np.sqrt(square)), 1.0), seed)


def _places(pictures: Iterable[Rgb8]) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Mean level and variance around a plane, of every place by channel; places with clipped pixels are out."""
    y, x = np.mgrid[:SQUARE, :SQUARE]
    plane, _ = np.linalg.qr(np.stack([np.ones(SQUARE * SQUARE), x.ravel(), y.ravel()], 1))
    levels, variances = [], []
    for rgb in pictures:
        places = squares(rgb, SQUARE).astype(float)
        places = places[(places.min((1, 2)) > 0) & (places.max((1, 2)) < 255)]
        levels.append(places.mean(1))
        fitted = np.einsum("npc,pk->nkc", places, plane)
        left = np.square(places).sum(1) - np.square(fitted).sum(1)
        variances.append(left.clip(0) / (SQUARE * SQUARE - 3))
    return np.concatenate(levels), np.concatenate(variances)


def _light(tone: MeasuredDegamma, level: float) -> tuple[float, float]:
    """Linear light at a level, and how much of it a level is."""
    even = np.linspace(0, 255, len(tone.values))
    below, here, above = (float(np.interp(level + step, even, tone.values)) for step in (-4, 0, 4))
    return here, max((above - below) / 8, 1e-6)

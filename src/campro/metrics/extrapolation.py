"""What more training data would bring: the rank-1 rate of trained attacks, extrapolated over the training-set size.

An extrapolation, not a measurement and not a bound. Model: the logit of the rate is linear in the logarithm of the
size, logit(p) = a + b log2(n). Each point has the weight of its interval; the interval of the prediction is that of
the fit, widened where the points scatter more than their intervals allow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from campro.core.errors import CamproError
from campro.metrics.rates import Z95, Rate

FEWEST_SIZES = 3
"""With two sizes every line fits."""
EDGE = 1e-4
"""Rates closer to 0 or 1 than this count as this close: their logit is infinite."""


def extrapolated(points: Mapping[int, Rate], sizes: Sequence[int]) -> tuple[Rate, ...]:
    """Predicted rates at other training-set sizes.

    Args:
        points: measured rates, by the number of training photographs.
        sizes: numbers of training photographs to predict for.

    Raises:
        CamproError: for fewer than `FEWEST_SIZES` points, or a size below 1.
    """
    if len(points) < FEWEST_SIZES or min(points) < 1 or min(sizes, default=1) < 1:
        raise CamproError("extrapolation", f"{FEWEST_SIZES} training-set sizes, all above 0", str(sorted(points)))
    x = np.array([[1.0, math.log2(size)] for size in points])
    y = np.array([_logit(rate.mean) for rate in points.values()])
    spread = np.array([max((_logit(r.high) - _logit(r.low)) / (2 * Z95), 1e-6) for r in points.values()])
    covariance = np.linalg.inv((x / spread[:, None]).T @ (x / spread[:, None]))
    coefficients = covariance @ (x / spread[:, None] ** 2).T @ y
    scatter = float((((x @ coefficients - y) / spread) ** 2).sum()) / max(len(points) - 2, 1)
    wanted = np.array([[1.0, math.log2(size)] for size in sizes])
    middle = wanted @ coefficients
    half = Z95 * np.sqrt(np.einsum("ij,jk,ik->i", wanted, covariance, wanted) * max(scatter, 1.0))
    means, lows, highs = ([_inverse(float(logit)) for logit in side] for side in (middle, middle - half, middle + half))
    return tuple(Rate(*ends, n=len(points)) for ends in zip(means, lows, highs, strict=True))


def _logit(share: float) -> float:
    inside = min(max(share, EDGE), 1 - EDGE)
    return math.log(inside / (1 - inside))


def _inverse(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0

"""A rate with its uncertainty: the form in which every share leaves the metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass

from campro.core.errors import CamproError

Z95 = 1.96
"""Normal quantile of a two-sided 95 % interval."""


def wilson(hits: float, trials: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a proportion; it has a sound width near 0, where protection is measured.

    Args:
        hits: successes, 0 to `trials`; may be a mean over repeats.
        trials: at least 1.
        z: normal quantile.

    Raises:
        CamproError: for numbers outside these ranges.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927).
    """
    if trials < 1 or not 0 <= hits <= trials:
        raise CamproError("wilson", "0 <= hits <= trials and trials >= 1", f"{hits} of {trials}")
    rate, spread = hits / trials, z * z / trials
    half = z * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    low, high = ((rate + spread / 2 + side * half) / (1 + spread) for side in (-1, 1))
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == trials else min(1.0, high))


@dataclass(frozen=True)
class Rate:
    """A share in [0, 1] with its 95 % interval.

    Raises:
        CamproError: for a number that is not finite or not in [0, 1].
    """

    mean: float
    low: float
    high: float
    n: int
    """Independent units that the interval is over: people, faces, or pictures."""
    sd: float | None = None
    """Sample standard deviation over trials, where there are several."""

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) and -1e-9 <= value <= 1 + 1e-9 for value in (self.mean, self.low, self.high)):
            raise CamproError("rate", "finite numbers in [0, 1]", f"{self.mean} [{self.low}, {self.high}]")

    @staticmethod
    def of_counts(hits: int, trials: int) -> Rate:
        """A proportion with Wilson's interval.

        >>> Rate.of_counts(0, 50).high < 0.08
        True
        """
        return Rate(hits / trials, *wilson(hits, trials), trials)

    @property
    def complement(self) -> Rate:
        """1 - rate, such as misses from hits."""
        return Rate(1 - self.mean, 1 - self.high, 1 - self.low, self.n, self.sd)


@dataclass(frozen=True)
class Ratio:
    """A ratio of two figures with its 95 % interval; it may be above 1."""

    mean: float
    low: float
    high: float

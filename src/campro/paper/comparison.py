"""A number of the paper beside the same number here, and why they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from campro.core.provenance import Origin
from campro.metrics.rates import Rate, Ratio
from campro.report.tables import Table

Unit = Literal["%", "dB", "levels", "1"]
"""Per cent, decibel, levels of 255, or a number without unit."""
DIGITS: dict[Unit, int] = {"%": 1, "dB": 1, "levels": 1, "1": 3}
"""Digits behind the point, in tables."""


@dataclass(frozen=True)
class Estimate:
    """A measured number in its unit, with its 95 % interval where it has one."""

    value: float
    low: float | None = None
    high: float | None = None

    @staticmethod
    def of(rate: Rate | Ratio | None) -> Estimate | None:
        """A rate or ratio in per cent; None stays None.

        >>> Estimate.of(Rate(0.5, 0.25, 0.75, 4))
        Estimate(value=50.0, low=25.0, high=75.0)
        """
        return None if rate is None else Estimate(100 * rate.mean, 100 * rate.low, 100 * rate.high)


def estimate_text(estimate: Estimate, unit: Unit) -> str:
    """A number and its interval.

    >>> estimate_text(Estimate(50.0, 25.0, 75.0), "%")
    '50.0 [25.0, 75.0]'
    """
    text = number(estimate.value, unit)
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{number(estimate.low, unit)}, {number(estimate.high, unit)}]"


def number(value: float, unit: Unit) -> str:
    """A number with the digits of its unit; no minus in front of zero."""
    return f"{value:z.{DIGITS[unit]}f}"


@dataclass(frozen=True)
class Comparison:
    """One row of the page."""

    row: str
    """What was measured, such as "LFW, captured, nearest, mobilefacenet"."""
    figure: str
    """Which figure, such as "rank-1"."""
    unit: Unit
    paper: float | None
    """The published number in the same unit; None where it is not recorded in published.json."""
    here: Estimate | None
    """None where it was not measured."""
    reason: str = ""
    """Why the two differ. Needed where they do."""
    origin: Origin | None = None
    """Commit and machine of the number here."""

    @property
    def differs(self) -> bool:
        """Whether the published number is outside the interval of the number here; without an interval never."""
        if self.paper is None or self.here is None or self.here.low is None or self.here.high is None:
            return False
        return not self.here.low <= self.paper <= self.here.high


@dataclass(frozen=True)
class Figure:
    """A plot as a data: URI, with its caption."""

    uri: str
    caption: str


@dataclass(frozen=True)
class Section:
    """What the page shows of one item."""

    how: str
    """One line: how to read it."""
    rows: tuple[Comparison, ...] = ()
    tables: tuple[Table, ...] = ()
    """Further tables in the layout of the paper."""
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know: substitutes for data or models of the paper, and what is missing."""

"""Numbers as text: the same form in every table, page and terminal line."""

from __future__ import annotations

from campro.metrics.rates import Rate

GAP = "–"
"""Stands where the audit has no figure."""
NO_LOSS = "no measurable loss"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 in per cent, without the sign."""
    return GAP if share is None else f"{100 * share:.{digits}f}"


def interval(rate: Rate | None) -> str:
    """A rate and its 95 % interval in per cent.

    >>> interval(Rate(0.5, 0.4, 0.6, 100))
    '50.0 [40.0, 60.0]'
    """
    return GAP if rate is None else f"{percent(rate.mean)} [{percent(rate.low)}, {percent(rate.high)}]"


def kept(share: float | None) -> str:
    """AP as a share of the raw AP, in per cent; a share of 1 and more is no gain but no measurable loss."""
    if share is None:
        return GAP
    return NO_LOSS if share >= 1 else percent(share, 0)

"""What a profile protects against, and what it does not: one page, written from the cells of a ladder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from typing import Any

from campro.audit.experiments import LEAST_PEOPLE
from campro.audit.suite_rows import rate, scaling_points, verdict
from campro.report import attack_plots as ladder_figures
from campro.report.pages import page

LITTLE, MUCH = 0.1, 0.5
"""Shares of the control that still count as protection, and from which on there is none."""
RISING = 0.02
"""Rank-1 that the last doubling of photographs must bring for a curve to count as still rising."""

Row = Mapping[str, Any]


def render_attacks(rows: Sequence[Row], profile: str, people: int, stamp: Mapping[str, Any]) -> str:
    """The page as HTML."""
    by_worst = sorted(rows, key=lambda row: -row["best"]["mean"])
    return page(
        "ladder.html",
        profile=profile,
        people=people,
        stamp=stamp,
        worst=by_worst[0] if by_worst else None,
        findings=[(level, [row for row in by_worst if protection(row) == level]) for level in ("none", "some", "much")],
        rows=by_worst,
        others=[row for row in by_worst if "linkability" in row["best"]],
        groups=_groups(by_worst),
        least_people=LEAST_PEOPLE,
        rate=rate,
        verdict=verdict,
        outlook=outlook,
        scaling=ladder_figures.scaling(rows),
        courses=ladder_figures.courses(rows),
        errors=ladder_figures.error_trade_off([row for row in by_worst if "open set" in row["best"]]),
    )


def _groups(rows: Sequence[Row]) -> dict[str, int]:
    """People of each group; the same for all rows."""
    found: Sequence[Mapping[str, Any]] = next((row["best"]["groups"] for row in rows if "groups" in row["best"]), ())
    return {group["name"]: group["people"] for group in found if group["rank1"]}


def protection(row: Row) -> str:
    """How much of what an attacker finds on raw pictures the profile takes from this one: "much", "some" or "none".

    A run that did not converge is no protection: its row is never better than "some".
    """
    control = row["control"]["mean"] if row["control"] else 1.0
    share = row["best"]["mean"] / control if control else 1.0
    if share >= MUCH:
        return "none"
    return "much" if share < LITTLE and row["best"]["converged"] is not False else "some"


def outlook(row: Row) -> str:
    """Where the scaling curve points: what the last doubling of training photographs brought."""
    points = scaling_points(row)
    if len(points) < 2:
        return ""
    (fewer, before), (most, after) = points[-2:]
    gain = (after - before) / log2(most / fewer)
    points_word = f"{100 * gain:+z.1f} points per doubling at {most} photographs"
    return f"{points_word}: still rising, more data would recognise more" if gain > RISING else points_word

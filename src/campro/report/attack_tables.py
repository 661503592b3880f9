"""What the attack section of a report says: protection by attack, scaling, and verification and open-set figures."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, log2

from campro.audit.attack_rows import AttackRow
from campro.audit.results import OpenSetPoint
from campro.metrics.extrapolation import FEWEST_SIZES, extrapolated
from campro.report.findings import DIRTY
from campro.report.headline import WorstCase
from campro.report.tables import Table
from campro.report.text import GAP, interval, percent

LITTLE, MUCH = 0.1, 0.5
"""Shares of the control's rank-1 rate: below the first the profile protects, from the second on it does not."""
RISING = 0.02
"""Rank-1 that the last doubling of training photographs must bring for a curve to count as still rising."""
LARGER_SETS = (20_000, 100_000)
"""Sizes of training sets that rates are extrapolated to."""
SHOWN_FPIRS = (0.01, 0.1)
SHOWN_FMR = 0.01


def protection(row: AttackRow) -> str:
    """Whether the profile protects against an attack: "yes", "partly" or "no".

    It does if the rank-1 rate is below a tenth of the control's, and does not from half of it on. A training that did
    not converge is no protection: its row is never better than "partly".
    """
    control = row.control.mean if row.control else 1.0
    share = row.rank1.mean / control if control else 1.0
    if share >= MUCH:
        return "no"
    return "yes" if share < LITTLE and row.best.result.converged is not False else "partly"


def scaling_note(row: AttackRow) -> str:
    """What the last doubling of training photographs brought; empty where there was one size only."""
    if len(row.scaling) < 2:
        return ""
    (smaller, before), (largest, after) = row.scaling[-2:]
    gain = (after - before) / log2(largest / smaller)
    text = f"{100 * gain:+z.1f} points per doubling at {largest} training photographs"
    return f"{text}: still rising, more data would recognise more" if gain > RISING else text


def extrapolation_table(rows: list[AttackRow]) -> Table:
    """Rank-1 of trained attacks that were trained on several sizes of the training set, extrapolated to larger ones."""
    lines = []
    for row in rows:
        points = row.best_by_size
        if row.best.result.converged is not None and len(points) >= FEWEST_SIZES:
            measured = ", ".join(str(size) for size in points)
            predicted = (interval(rate) for rate in extrapolated(points, LARGER_SETS))
            lines.append((row.attack, row.model, measured, interval(points[max(points)]), *predicted))
    header = ("attack", "face model", "training photographs", "rank-1 with most, %")
    return Table((), (*header, *(f"with {size:,}, %" for size in LARGER_SETS)), tuple(lines))


def threat_model_table(cases: tuple[WorstCase, ...]) -> Table:
    """The worst attack of each threat model."""
    rows = tuple(
        (
            case.threat_model,
            case.attack if case.attack == case.run else f"{case.attack}: {case.run}",
            case.model,
            case.given,
            interval(case.rank1) + (DIRTY if case.dirty else ""),
            interval(case.control),
            case.reliable,
        )
        for case in cases
    )
    header = ("threat model", "worst attack", "face model", "given", "rank-1, %", "without the profile, %", "converged")
    return Table((), header, rows)


def attack_table(rows: list[AttackRow]) -> Table:
    """All attacks, the worst first."""
    lines = tuple(
        (
            row.attack,
            row.model,
            row.threat_model,
            row.best_run,
            interval(row.rank1) + (DIRTY if row.best.origin.dirty else ""),
            interval(row.control),
            protection(row),
            row.verdict,
            f"{row.seconds:.0f}",
        )
        for row in rows
    )
    header = ("attack", "face model", "threat model", "best run", "rank-1, %", "control, %")
    return Table((), (*header, "protected", "converged", "seconds"), lines)


def linking_table(rows: list[AttackRow]) -> Table:
    """Linkability, verification and open-set identification of the best runs."""
    lines = []
    for row in rows:
        result = row.best.result
        if result.linkability is None:
            continue
        points = {point.fpir: point for point in result.open_set}
        open_set = [_fnir(points.get(fpir)) for fpir in SHOWN_FPIRS]
        searches = max((point.non_mated for point in result.open_set), default=None)
        link = result.linkability
        text = f"{link.mean:.2f} [{link.low:.2f}, {link.high:.2f}]"
        lines.append((row.attack, row.model, text, *_verification(row), str(searches or GAP), *open_set))
    header = ("attack", "face model", "linkability", "balanced accuracy, %", f"FNMR at FMR {SHOWN_FMR:g}, %")
    rates = (f"FNIR at FPIR {fpir:g}, %" for fpir in SHOWN_FPIRS)
    return Table((), (*header, "non-mated searches", *rates), tuple(lines))


def _fnir(point: OpenSetPoint | None) -> str:
    """FNIR in per cent with its interval; how many non-mated searches it needs where these are too few."""
    if point is None:
        return GAP
    return interval(point.fnir) if point.supported else f"too few: needs {ceil(1 / point.fpir)} searches"


def _verification(row: AttackRow) -> tuple[str, str]:
    found = row.best.result.verification
    if found is None:
        return GAP, GAP
    accuracy = (
        GAP
        if found.balanced_accuracy is None
        else f"{percent(found.balanced_accuracy)} ± {percent(found.standard_error)}"
    )
    point = next((point for point in found.points if point.fmr == SHOWN_FMR), None)
    return accuracy, interval(None if point is None else point.fnmr)


def training_table(rows: list[AttackRow]) -> Table:
    """Every training: validation score at first and at best, and whether it converged."""
    lines = [
        (
            row.attack,
            row.model,
            run.name,
            str(run.result.training_images or GAP),
            f"{curve[0]:.3f}",
            f"{max(curve):.3f}",
            "yes" if run.result.converged else "no: failed",
            interval(run.result.rank1),
        )
        for row in rows
        for run in row.runs
        if (curve := run.result.curve)
    ]
    header = ("attack", "face model", "run", "photographs", "validation, first", "best", "converged", "rank-1, %")
    return Table((), header, tuple(lines))


def markdown_table(rows: Iterable[AttackRow]) -> str:
    """All attacks for the terminal, the worst row of each model last."""
    lines = [
        "| model | attack | threat model | given | best run | rank-1, % | control, % | converged |",
        "|---" * 8 + "|",
    ]
    for row in sorted(rows, key=lambda row: (row.model, row.rank1.mean)):
        cells = (row.model, row.attack, row.threat_model, row.given, row.best_run, interval(row.rank1))
        lines.append("| " + " | ".join((*cells, interval(row.control), row.verdict)) + " |")
    return "\n".join(lines)

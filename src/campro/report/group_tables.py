"""Who is recognised, by group: as rows of text for the page, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campro.audit.experiments import NEAREST
from campro.report.findings import Findings
from campro.report.tables import RATE, Table, as_csv, interval

TOO_FEW = "too few"


def group_table(findings: Findings) -> Table:
    """A row per face model and view, a column per group: rank 1 in %."""
    cells = [cell for model, view in _pairs(findings) if (cell := findings.by_group(model, view))]
    if not cells:
        return Table((), (), ())
    groups = {group["name"]: group["people"] for group in cells[0]}
    rows = []
    for model, view in _pairs(findings):
        known = {group["name"]: group for group in findings.by_group(model, view) or ()}
        rows.append((model, view, *(_group(known.get(name)) for name in groups)))
    labels = (f"{name} ({people} people)" for name, people in groups.items())
    return Table((), ("face model", "view", *labels), tuple(rows))


def group_cells(findings: Findings) -> list[dict[str, Any]]:
    """Rank-1 of every face model, view and group; null where a group is too small."""
    return [
        {"model": model, "matcher": NEAREST, "view": view, "group": group["name"]}
        | {name: group[name] for name in ("people", "rank1")}
        for model, view in _pairs(findings)
        for group in findings.by_group(model, view) or ()
    ]


def group_csv(findings: Findings) -> str:
    """One line per face model, view and group: shares of 1 in full precision, empty where a group is too small."""
    names = ["model", "matcher", "view", "group", "people"]
    rows = [
        [*(cell[name] for name in names), *((cell["rank1"] or {}).get(part) for part in RATE)]
        for cell in group_cells(findings)
    ]
    return as_csv([*names, *(f"rank1_{part}" for part in RATE)], rows)


def _pairs(findings: Findings) -> list[tuple[str, str]]:
    return [(model, view) for model in findings.meta["models"] for view in findings.group_views]


def _group(group: Mapping[str, Any] | None) -> str:
    return TOO_FEW if group is not None and group["rank1"] is None else interval(group and group["rank1"])

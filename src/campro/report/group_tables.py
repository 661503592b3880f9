"""Identification by group: as rows of text for the page, as JSON and as CSV."""

from __future__ import annotations

from typing import Any

from campro.audit import cell_keys
from campro.audit.attack_rows import AttackRow
from campro.audit.results import GroupRate
from campro.core.typed_json import as_plain
from campro.evaluation import NEAREST
from campro.report.findings import Findings
from campro.report.tables import RATE, Table, as_csv
from campro.report.text import GAP, interval

TOO_FEW = "too few"


def group_table(findings: Findings) -> Table:
    """A row per face model and view without an attack, a column per group: rank 1 in %."""
    found = {(model, view): findings.by_group(model, view) for model, view in _pairs(findings)}
    first = next((groups for groups in found.values() if groups), ())
    if not first:
        return Table((), (), ())
    rows = []
    for (model, view), groups in found.items():
        known = {group.name: group for group in groups}
        mark = findings.mark(cell_keys.identification_by_group(model, view))
        rows.append((model, view, *(group_rate_text(known.get(group.name)) + mark for group in first)))
    labels = (f"{group.name} ({group.people} people)" for group in first)
    return Table((), ("face model", "view", *labels), tuple(rows))


def attack_group_table(rows: list[AttackRow]) -> Table:
    """A row per attack and face model, a column per group: rank 1 of the best run, in %."""
    with_groups = [row for row in rows if row.best.result.groups]
    if not with_groups:
        return Table((), (), ())
    first = with_groups[0].best.result.groups
    lines = []
    for row in with_groups:
        known = {group.name: group for group in row.best.result.groups}
        lines.append((row.model, row.attack, *(group_rate_text(known.get(group.name)) for group in first)))
    labels = (f"{group.name} ({group.people} people)" for group in first)
    return Table((), ("face model", "attack", *labels), tuple(lines))


def group_json(findings: Findings) -> list[dict[str, Any]]:
    """Rank-1 of every face model, view and group; null where a group is too small."""
    return [
        {"model": model, "matcher": NEAREST, "view": view, "group": group.name, "people": group.people}
        | {"rank1": as_plain(group.rank1)}
        for model, view in _pairs(findings)
        for group in findings.by_group(model, view)
    ]


def group_csv(findings: Findings) -> str:
    """One line per face model, view and group: shares of 1 in full precision, empty where a group is too small."""
    names = ["model", "matcher", "view", "group", "people"]
    rows = [
        [*(cell[name] for name in names), *((cell["rank1"] or {}).get(part) for part in RATE)]
        for cell in group_json(findings)
    ]
    return as_csv([*names, *(f"rank1_{part}" for part in RATE)], rows)


def _pairs(findings: Findings) -> list[tuple[str, str]]:
    return [(model, view) for model in findings.models for view in findings.metadata.group_views]


def group_rate_text(group: GroupRate | None) -> str:
    """The rate of a group in % with its interval; says where the group is too small."""
    if group is None:
        return GAP
    return TOO_FEW if group.rank1 is None else interval(group.rank1)

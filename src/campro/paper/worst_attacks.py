"""The worst attack on each profile, from finished audits of the whole suite and from the attacks of this run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from campro.attacks.filters import NO_ATTACK
from campro.audit.attack_rows import AttackRow, attack_rows
from campro.audit.audit_context import CONTROL
from campro.core.cells import Cell, CellFile
from campro.paper.comparison import Comparison, Estimate, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.report.compare import read_audited
from campro.report.findings import by_threat_model

AUDITED = "audited"
"""In place of a data set: cells of finished audits, which --audits names."""
REASON = "the paper does not give the worst attack"


def measure(context: PaperContext) -> None:
    """Copy the cells that count from the audits of the options, each with its origin; nothing is attacked."""
    for path in context.config.audits:
        labels = {"data": AUDITED, "profile": read_audited(path).name}
        file = path / "cells.jsonl" if path.is_dir() else path
        for cell in counted(CellFile(file).all()):
            context.run.copy_cell(replace(cell, key=labels | cell.key))


def counted(cells: list[Cell]) -> Iterator[Cell]:
    """Person detection, and of each attack and recogniser the best run and its control."""
    best = {(row.model, row.attack): row.best_run for row in attack_rows(cells)}
    for cell in cells:
        key = cell.key
        if key.get("kind") == "person detection":
            yield cell
        elif key.get("kind") == "attack":
            plain = key["camera"] == CONTROL and key["attack"] == NO_ATTACK.name
            if plain or best.get((key["model"], key["attack"])) == key["run"]:
                yield cell


def rows_of(cells: PaperCells, profile: str) -> list[tuple[str, AttackRow]]:
    """(data, row) of all attacks on a profile, audited ones first."""
    names = sorted(cells.named("data", profile=profile, kind="attack"), key=lambda name: name != AUDITED)
    return [(data, row) for data in names for row in attack_rows(cells.part(data=data, profile=profile))]


def worst_by_profile(cells: PaperCells) -> dict[str, dict[str, AttackRow]]:
    """The worst attack by profile and threat model, of the audits and of this run."""
    profiles = cells.named("profile", kind="attack")
    return {profile: by_threat_model(row for _, row in rows_of(cells, profile)) for profile in profiles}


def section(cells: PaperCells) -> Section:
    """A row per profile and threat model."""
    rows = []
    for profile, found in worst_by_profile(cells).items():
        for threat_model, worst in found.items():
            here = Estimate.of(worst.rank1)
            rows.append(
                Comparison(f"{profile}, {threat_model}", label(worst), "%", None, here, REASON, worst.best.origin)
            )
    how = (
        "The highest rank-1 in % over all recognisers and attacks that ran, by what the attacker knows. A lower bound: "
        "more training may identify more people."
    )
    notes = ("From finished audits (campro audit --attacks full, option --audits), and the attacks of this run.",)
    return Section(how, tuple(rows), notes=notes)


def label(worst: AttackRow) -> str:
    """Attack, its best run, recogniser, people and control."""
    name = worst.attack if worst.attack == worst.best_run else f"{worst.attack}: {worst.best_run}"
    control = "" if worst.control is None else f", control {100 * worst.control.mean:.1f}"
    return f"{name}, {worst.model}, {worst.rank1.n} people{control}"

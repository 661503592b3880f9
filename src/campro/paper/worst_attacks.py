"""The worst attack on each profile, from finished audits of the whole suite and from the attacks of this run."""

from __future__ import annotations

from dataclasses import dataclass

from campro.audit.attack_rows import AttackRow, attack_rows
from campro.audit.cell_keys import Key
from campro.core.provenance import Origin
from campro.metrics.rates import Rate, Ratio
from campro.paper.comparison import Comparison, Estimate, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.report.compare import read_audited
from campro.report.findings import by_threat_model

REASON = "the paper does not give the worst attack"
HERE = "of this run"


@dataclass(frozen=True)
class WorstAttack:
    """The attack that recognises most people, of one profile and threat model."""

    attack: str
    run: str
    model: str
    rank1: Rate
    control: Rate | None
    verdict: str
    """Whether the training converged."""
    kept: Ratio | None
    """AP of the person detector on captured pictures over that on raw ones, adapted where it was."""
    made_by: Origin
    """Origin of the cell of the attack."""


def measure(context: PaperContext) -> None:
    """A cell per profile and threat model of each audit of the options; nothing is attacked."""
    for path in context.config.audits:
        audited = read_audited(path)
        kept = None if audited.detection is None else audited.detection.kept
        for threat_model, row in by_threat_model(audited.attacks).items():
            context.run.write_cell(key_of(audited.name, threat_model), worst_of(row, kept))


def key_of(profile: str, threat_model: str) -> Key:
    """Key of the cell of a profile and threat model."""
    return {"kind": "worst attack", "profile": profile, "threat_model": threat_model}


def worst_of(row: AttackRow, kept: Ratio | None) -> WorstAttack:
    """The best run of a row."""
    return WorstAttack(row.attack, row.best_run, row.model, row.rank1, row.control, row.verdict, kept, row.best.origin)


def worst_by_profile(cells: PaperCells) -> dict[str, dict[str, WorstAttack]]:
    """The worst attack by profile and threat model: of the audits, and of this run where that is worse."""
    found: dict[str, dict[str, WorstAttack]] = {}
    for cell in cells:
        if cell.key.get("kind") == "worst attack":
            profile, threat_model = str(cell.key["profile"]), str(cell.key["threat_model"])
            worst = cells.value(WorstAttack, cell.key)
            if worst is not None:
                found.setdefault(profile, {})[threat_model] = worst
    for profile in cells.named("profile", kind="attack"):
        for data in cells.named("data", profile=profile, kind="attack"):
            rows = attack_rows(cells.part(data=data, profile=profile))
            for threat_model, row in by_threat_model(rows).items():
                known = found.setdefault(profile, {}).get(threat_model)
                if known is None or row.rank1.mean > known.rank1.mean:
                    found[profile][threat_model] = worst_of(row, None if known is None else known.kept)
    return found


def section(cells: PaperCells) -> Section:
    """A row per profile and threat model."""
    rows = [
        Comparison(
            f"{profile}, {threat_model}", _label(worst), "%", None, Estimate.of(worst.rank1), REASON, worst.made_by
        )
        for profile, found in worst_by_profile(cells).items()
        for threat_model, worst in found.items()
    ]
    how = (
        "The highest rank-1 in % over all recognisers and attacks that ran, by what the attacker knows. A lower bound: "
        "more training may identify more people."
    )
    notes = ("From finished audits (campro audit --attacks full, option --audits), and the attacks of this run.",)
    return Section(how, tuple(rows), notes=notes)


def _label(worst: WorstAttack) -> str:
    name = worst.attack if worst.attack == worst.run else f"{worst.attack}: {worst.run}"
    control = "" if worst.control is None else f", control {100 * worst.control.mean:.1f}"
    return f"{name}, {worst.model}, {worst.rank1.n} people{control}"

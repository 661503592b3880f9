"""Several audits side by side: the worst attack on each profile over the AP of the person detector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context

from campro.audit import cell_keys
from campro.audit.attack_rows import AttackRow, attack_rows
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.density_rows import DensityRow, density_rows
from campro.audit.legacy_cells import read_cells
from campro.audit.results import PersonDetectionResult
from campro.core.cells import Cell, CellFile
from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.core.typed_json import from_json
from campro.evaluation.pixel_density import level_name
from campro.report.findings import DIRTY, by_threat_model
from campro.report.headline import THREAT_MODELS
from campro.report.plots import COLOURS, STYLE, axes_of
from campro.report.tables import Table, as_markdown
from campro.report.text import GAP, interval, kept, percent

PAPER_KEPT = 0.82
"""Share of the raw AP that the paper's own profile keeps (CamPro, NDSS 2024, Table III)."""


@dataclass(frozen=True)
class Audited:
    """One profile: its attacks, and the person detector on its pictures."""

    name: str
    attacks: tuple[AttackRow, ...]
    """The worst first."""
    as_given: PersonDetectionResult | None
    adapted: PersonDetectionResult | None
    raw_ap: float | None
    """The best AP on raw pictures."""
    ap_mark: str
    """A dagger where person detection was measured with uncommitted changes, else nothing."""
    distant: tuple[DensityRow, ...] = ()
    """Attacks at pixel densities, on the camera with the profile."""

    @property
    def worst(self) -> AttackRow | None:
        """The attack with the highest rank-1 rate; None where attacks ran at densities only."""
        return self.attacks[0] if self.attacks else None

    @property
    def detection(self) -> PersonDetectionResult | None:
        """Of the adapted detector where there is one, else as given."""
        return self.adapted or self.as_given

    @property
    def ap_kept(self) -> float | None:
        """AP on captured pictures over the best AP on raw ones."""
        if self.detection is None or self.detection.ap is None or not self.raw_ap:
            return None
        return self.detection.ap / self.raw_ap


def read_audited(path: Path) -> Audited:
    """One audit from its run folder, or from a copy of its cells.jsonl, which then names the profile.

    Raises:
        CamproError: without an attack in it.
    """
    cells = read_cells(path) if path.is_dir() else CellFile(path).all()
    by_key = {json_digest(cell.key): cell for cell in cells}
    rows = sorted(attack_rows(cells), key=lambda row: -row.rank1.mean)
    distant = tuple(row for row in density_rows(cells) if row.camera == CAPTURED)
    if not rows and not distant:
        remedy = "run `campro audit` with attacks first"
        raise CamproError(f"compare {path}", "the cells of an audit with attacks", f"{len(cells)} cells", remedy)
    meta = by_key.get(json_digest(cell_keys.META))
    name = path.stem if meta is None else meta.value["profile_name"]
    raw = [_detection(by_key, RAW, adapted) for adapted in (False, True)]
    raw_ap = max((result.ap for result in raw if result is not None and result.ap is not None), default=None)
    as_given, adapted = (_detection(by_key, CAPTURED, adapted) for adapted in (False, True))
    detection = [cell for cell in cells if cell.key.get("kind") == "person detection"]
    mark = DIRTY if any(cell.origin.dirty for cell in detection) else ""
    return Audited(name, tuple(rows), as_given, adapted, raw_ap, mark, distant)


def _detection(cells: Mapping[str, Cell], view: str, adapted: bool) -> PersonDetectionResult | None:
    cell = cells.get(json_digest(cell_keys.person_detection(view, adapted)))
    return None if cell is None else from_json(PersonDetectionResult, cell.value, f"person detection, {view}")


def comparison_table(audits: Sequence[Audited]) -> str:
    """Markdown: per profile person AP, and the worst attack of each threat model, in %."""
    shown: list[ThreatModel] = [
        m for m in THREAT_MODELS if any(m == row.threat_model for a in audits for row in a.attacks)
    ]
    header = ("profile", "person AP as given", "adapted", "% of raw AP", *shown, "worst attack", "rank-1")
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    for audit in audits:
        worst = by_threat_model(audit.attacks)
        rates = [_rate(worst.get(model)) for model in shown]
        aps = (_ap(audit.as_given, audit.ap_mark), _ap(audit.adapted, audit.ap_mark), kept(audit.ap_kept))
        case = GAP if audit.worst is None else f"{audit.worst.attack}, {audit.worst.best_run}, {audit.worst.model}"
        lines.append("| " + " | ".join((audit.name, *aps, *rates, case, _rate(audit.worst))) + " |")
    return "\n".join(lines) + "\n"


def density_comparison(audits: Sequence[Audited]) -> str:
    """Markdown: rank-1 in % at each pixel density and profile, without an attack and by the worst ones."""
    kinds = ("raw, no attack", "no attack", "worst without training", "worst trained", "its control", "worst attack")
    lines = []
    for density in sorted({row.density for audit in audits for row in audit.distant}, reverse=True):
        for audit in audits:
            if rows := [row for row in audit.distant if row.density == density]:
                lines.append((level_name(density), audit.name, *_density_cells(rows)))
    return as_markdown(Table((), ("pixel density", "profile", *kinds), tuple(lines)))


def _density_cells(rows: Sequence[DensityRow]) -> tuple[str, ...]:
    """Of one profile at one density; raw pictures by the recogniser that identifies most in them."""
    plain = [row for row in rows if row.threat_model == "none"]
    raw = max((row.control for row in plain if row.control is not None), key=lambda rate: rate.mean, default=None)
    trained, worst = _worst(row for row in rows if row.trained), _worst(rows)
    assert worst is not None
    rates = (_worst(plain), _worst(row for row in rows if not row.trained), trained)
    control = None if trained is None else trained.control
    case = f"{worst.attack}, {worst.best.name}, {worst.model}"
    return interval(raw), *map(_rate, rates), interval(control), case


def _worst(rows: Iterable[DensityRow]) -> DensityRow | None:
    return max(rows, key=lambda row: row.rank1.mean, default=None)


def _rate(row: AttackRow | DensityRow | None) -> str:
    return GAP if row is None else interval(row.rank1) + (DIRTY if row.best.origin.dirty else "")


def _ap(result: PersonDetectionResult | None, mark: str) -> str:
    if result is None:
        return GAP
    return f"{percent(result.ap)} [{percent(result.ap_low)}, {percent(result.ap_high)}]{mark}"


def comparison_plot(audits: Sequence[Audited], file: Path) -> None:
    """Worst rank-1 rate over person AP, both with 95 % intervals; a picture file of any kind matplotlib writes."""
    with rc_context(STYLE):
        axes, figure = axes_of((6.4, 4.0))
        for number, audit in enumerate(audits):
            result = audit.detection
            if result is None or result.ap is None or result.ap_low is None or result.ap_high is None:
                continue
            if audit.worst is None:
                continue
            x, left, right = (100 * value for value in (result.ap, result.ap_low, result.ap_high))
            worst = audit.worst.rank1
            y, low, high = (100 * value for value in (worst.mean, worst.low, worst.high))
            colour = COLOURS[number % len(COLOURS)]
            axes.errorbar(x, y, [[y - low], [high - y]], [[x - left], [right - x]], fmt="o", color=colour, capsize=2)
            offset = (5, 5 if number % 2 else -10)
            label = f"{audit.name} ({audit.worst.attack})"
            axes.annotate(label, (x, y), offset, textcoords="offset points", fontsize=7)
        raw = next((audit.raw_ap for audit in audits if audit.raw_ap), None)
        if raw is not None:
            axes.axvline(100 * PAPER_KEPT * raw, color="0.6", linestyle=":")
        axes.set(xlabel="AP of the person detector, %", ylabel="rank-1 of the worst attack, %")
        axes.set_ylim(-2, 102)
        figure.savefig(file, dpi=150)

"""The figures at the top of a report: the worst case first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from campro.attacks.attack_base import ThreatModel
from campro.audit import cell_keys
from campro.audit.attack_rows import AttackRow
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.density_rows import DensityRow
from campro.audit.results import PersonDetectionResult
from campro.evaluation import NEAREST
from campro.metrics.rates import Rate, Ratio
from campro.report.findings import Findings, by_threat_model

THREAT_MODELS: tuple[ThreatModel, ...] = get_args(ThreatModel)


@dataclass(frozen=True)
class WorstCase:
    """The attack that recognises most people, of one threat model or of all."""

    threat_model: str
    attack: str
    run: str
    model: str
    matcher: str
    given: str
    rank1: Rate
    control: Rate | None
    """Of the same attacker on the camera without profile."""
    reliable: str
    """Whether the training converged, and how many hits are ties."""
    dirty: bool
    """Whether it was measured with uncommitted changes."""
    density: float | None = None
    """Pixel density of the probes in px/m; None for photographs as they are."""


@dataclass(frozen=True)
class Headline:
    """What a reader must know first; None where the audit has not measured it."""

    profile: str
    synthetic: bool
    unfinished_cells: int
    worst_case: WorstCase | None
    """Over all recognisers, attacks, threat models and densities that ran; None where no attack ran."""
    threat_models: tuple[WorstCase, ...]
    """The worst attack of each threat model that ran on photographs as they are."""
    attacks: int
    """Different attacks that ran."""
    runs: int
    """Runs of attacks on the camera with the profile."""
    models: int
    """Face models tried."""
    people: int
    chance_rank1: float
    no_attack: Rate | None
    """Highest rank-1 rate in captured pictures without an attack."""
    no_attack_model: str
    no_attack_matcher: str
    raw: Rate | None
    """Highest rank-1 rate in raw pictures without an attack."""
    captured_detection: PersonDetectionResult | None
    """Scores of the person detector on captured pictures, adapted where it was adapted."""
    captured_ap_as_given: float | None
    raw_ap: float | None
    ap_kept: float | None
    """Captured over raw AP."""
    ap_kept_interval: Ratio | None
    """Its 95 % interval by a paired bootstrap over photographs; None in audits of older versions."""
    detector_adapted: bool


def headline(findings: Findings) -> Headline:
    """Gather the headline from the cells."""
    meta, rows = findings.metadata, findings.attacks
    distant = [row for row in findings.attacks_at_densities if row.camera == CAPTURED]
    cases = _worst_cases(findings) if rows else ()
    runs = [
        *((row.model, row.attack, run.name) for row in rows for run in row.runs),
        *((row.model, row.attack, run.name) for row in distant for run in row.runs),
    ]
    captured, raw = findings.worst(CAPTURED), findings.worst(RAW)
    detection = findings.best_detection(CAPTURED)
    adapted = detection is not None and detection[0]
    return Headline(
        profile=meta.profile_name,
        synthetic=bool(meta.synthetic),
        unfinished_cells=findings.missing,
        worst_case=max((*cases, *map(_distant_case, distant)), key=lambda case: case.rank1.mean, default=None),
        threat_models=cases,
        attacks=len({attack for _, attack, _ in runs}),
        runs=len(set(runs)),
        models=len(findings.models),
        people=meta.faces.people,
        chance_rank1=1 / meta.faces.people,
        no_attack=None if captured is None else captured[2].rank1,
        no_attack_model="" if captured is None else captured[0],
        no_attack_matcher="" if captured is None else captured[1],
        raw=None if raw is None else raw[2].rank1,
        captured_detection=None if detection is None else detection[1],
        captured_ap_as_given=findings.ap(CAPTURED, False),
        raw_ap=findings.best_raw_ap,
        ap_kept=findings.kept(CAPTURED, adapted),
        ap_kept_interval=None if detection is None else detection[1].kept,
        detector_adapted=adapted,
    )


def _worst_cases(findings: Findings) -> tuple[WorstCase, ...]:
    """One per threat model: none, black-box, gray-box, white-box; "none" also has the audit's own rates."""
    cases = {name: _case(row) for name, row in by_threat_model(findings.attacks).items()}
    if (own := _without_attack(findings)) is not None:
        listed = cases.get("none")
        if listed is None or own.rank1.mean > listed.rank1.mean:
            cases["none"] = own
    return tuple(cases[name] for name in THREAT_MODELS if name in cases)


def _case(row: AttackRow) -> WorstCase:
    best = row.best
    return WorstCase(
        row.threat_model,
        row.attack,
        best.name,
        row.model,
        best.result.best_matcher,
        row.given,
        row.rank1,
        row.control,
        row.verdict,
        best.origin.dirty,
    )


def _distant_case(row: DensityRow) -> WorstCase:
    best = row.best
    converged = {None: "no training", True: "yes", False: "no: a lower bound"}[best.result.converged]
    place = (row.threat_model, row.attack, best.name, row.model, NEAREST, row.given)
    return WorstCase(*place, row.rank1, row.control, converged, best.origin.dirty, row.density)


def _without_attack(findings: Findings) -> WorstCase | None:
    """Identification in captured pictures by a recogniser off the shelf, from the audit's own cells."""
    captured, raw = findings.worst(CAPTURED), findings.worst(RAW)
    if captured is None:
        return None
    model, matcher, result = captured
    dirty = bool(findings.mark(cell_keys.identification(model, CAPTURED, matcher)))
    control = None if raw is None else raw[2].rank1
    return WorstCase(
        "none", "no attack", "no attack", model, matcher, "nothing", result.rank1, control, "no training", dirty
    )

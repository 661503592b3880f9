"""Sections VII-A and VIII: re-enrolment and inversion by an attacker, and face detection in captured pictures."""

from __future__ import annotations

from typing import Any

from campro.audit import cell_keys
from campro.audit.attack_rows import AttackRow
from campro.audit.attack_suite import measure_attacks
from campro.audit.audit_config import CAPTURED, ENHANCED, RAW
from campro.audit.experiments import detect_faces
from campro.core.errors import CamproError
from campro.metrics.rates import Rate
from campro.paper.comparison import Comparison, Estimate, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.paper.worst_attacks import rows_of

ATTACKED, DETECTED = "section-7", "section-8"
ATTACKS = ("no-attack", "re-enrolment", "analytic-inversion")
"""Attacks without training: those that train are in the worst attacks and in Table VII."""
REASON = "other recognisers and smaller galleries; another profile"


def measure_attacked(context: PaperContext) -> None:
    """The runs of the attacks, one recogniser after the other: the controls of one follow its attacks."""
    data = context.main_faces
    for model in context.recognisers:
        options: dict[str, Any] = {"attacks": ATTACKS, "face_models": (model,)}
        if context.root is not None:
            options["train_faces"] = None  # these attacks need nobody to train on
        measure_attacks(
            context.part(data, context.profile.name), context.audit(data, context.config.profile, **options)
        )


def attacked(cells: PaperCells) -> Section:
    """A row per attack and recogniser, with its control."""
    rows = [_attack_row(*one) for one in rows_of(cells, cells.settings.profile)]
    how = (
        "Rank-1 in % on captured pictures, the best run of each attack. Re-enrolment: the gallery is captured, too. "
        "Analytic inversion: the attacker knows the profile. The control is the same attacker without the profile."
    )
    note = "Networks for restoration (Uformer, GFP-GAN) run as ONNX files: campro audit --restorers FILE. None is here."
    return Section(how, tuple(rows), notes=(note,))


def _attack_row(data: str, row: AttackRow) -> Comparison:
    control = "" if row.control is None else f" (control {100 * row.control.mean:.1f})"
    label, paper = f"{data}, {row.model}, {row.threat_model}", published(ATTACKED, row.attack, "rank-1")
    figure = f"{row.attack}: {row.best_run}{control}" if row.best_run != row.attack else f"{row.attack}{control}"
    return Comparison(label, figure, "%", paper, Estimate.of(row.rank1), REASON, row.best.origin)


def measure_detected(context: PaperContext) -> None:
    """A cell per face detector and view.

    Raises:
        CamproError: without a face detector.
    """
    if not context.face_detectors:
        raise CamproError("paper", "a face detector", "none", "campro models fetch yunet")
    data = context.main_faces
    detect_faces(context.part(data, context.profile.name), context.audit(data, context.config.profile))


def detected(cells: PaperCells) -> Section:
    """Share of probes without a detected face, by detector and view."""
    rows, profile = [], cells.settings.profile
    for data in cells.named("data", profile=profile, kind="face detection"):
        part = cells.part(data=data, profile=profile)
        for detector in part.named("detector", kind="face detection"):
            for view in (RAW, CAPTURED, ENHANCED):
                key = cell_keys.face_detection(detector, view)
                if (rate := part.value(Rate, key)) is not None:
                    paper, here = published(DETECTED, view, "missed"), Estimate.of(rate.complement)
                    row, figure, origin = f"{data}, {view}", f"not detected, {detector}", part.origin(key)
                    rows.append(Comparison(row, figure, "%", paper, here, REASON, origin))
    how = (
        "Share of probes in which a face detector does not find the face, in %. It is no part of the rates above: "
        "there faces are cropped where they are in the raw photograph, the attacker's best case."
    )
    return Section(how, tuple(rows))

"""Fig. 4 and the preliminary study (IV): what inverted colours do to recognition and to person detection."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from campro.audit import cell_keys
from campro.audit.audit_config import RAW
from campro.audit.experiments import measure_person_view
from campro.audit.results import PersonDetectionResult
from campro.metrics.identification import unit_norm
from campro.metrics.open_set import threshold_at
from campro.metrics.rates import Rate
from campro.paper.comparison import Comparison, Estimate, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import RAW_PROFILE, PaperContext
from campro.paper.published_figures import published

ITEM, INVERT = "fig-4", "invert"
FMR = 0.001
"""False match rate of the threshold of our own recognisers."""
REASON_FACES = "another recogniser and other people; the threshold 0.409 belongs to the recogniser of the paper"


@dataclass(frozen=True)
class InvertedFaces:
    """Raw and inverted crops of the same photographs, compared by one recogniser."""

    mean_cosine: float
    above_paper: Rate
    """Share of photographs whose cosine reaches the threshold of the paper, 0.409."""
    own_threshold: float
    """Threshold at FMR 0.1 % on raw photographs of different people."""
    above_own: Rate


def measure(context: PaperContext) -> None:
    """A cell per recogniser; person detection on raw and inverted scenes."""
    audit = context.audit(context.main_faces, RAW_PROFILE, baselines=(INVERT,))
    part = context.part(context.main_faces, RAW_PROFILE)
    for view in (RAW, INVERT):
        measure_person_view(part, audit, view, adapted=False)
    for model in context.recognisers:
        if part.cell(_key(model)) is None:
            found = audit.embed(model, [INVERT])
            raw, inverted = (unit_norm(found[view], view) for view in (RAW, INVERT))
            part.write_cell(_key(model), compare(raw, inverted, audit.evaluation.subjects))


def compare(raw: torch.Tensor, inverted: torch.Tensor, subjects: torch.Tensor) -> InvertedFaces:
    """Compare unit-norm embeddings (N, D) of raw with inverted crops; `subjects` numbers the people."""
    cosine = (raw * inverted).sum(1)
    one_each = torch.tensor([int((subjects == person).nonzero()[0]) for person in subjects.unique().tolist()])
    others = raw[one_each] @ raw[one_each].T
    different = ~torch.eye(len(one_each), dtype=torch.bool)
    own = threshold_at(others[different], FMR)
    limit, count = published(ITEM, "threshold", "cosine"), len(cosine)
    assert limit is not None
    above = [Rate.of_counts(int((cosine >= bound).sum()), count) for bound in (limit, own)]
    return InvertedFaces(float(cosine.mean()), above[0], own, above[1])


def section(cells: PaperCells) -> Section:
    """One row per recogniser and figure, then person detection."""
    rows: list[Comparison] = []
    for data in cells.named("data", profile=RAW_PROFILE, kind="inverted faces"):
        part = cells.part(data=data, profile=RAW_PROFILE)
        for model in part.named("model", kind="inverted faces"):
            rows += _face_rows(part, data, model)
        rows += _people_rows(part)
    how = (
        "The preliminary study of the paper: a face with inverted colours is not matched with itself, while people in "
        "inverted pictures are detected. Each photograph is compared with its own inverted copy."
    )
    note = f"Cosines of different recognisers cannot be compared: the own threshold is that of FMR {FMR:.1%}."
    return Section(how, tuple(rows), notes=(note,))


def _face_rows(part: PaperCells, data: str, model: str) -> list[Comparison]:
    found = part.value(InvertedFaces, _key(model))
    if found is None:
        return []
    row, origin = f"{data}, {model}", part.origin(_key(model))
    figures = [
        ("mean cosine, raw and inverted", "1", Estimate(found.mean_cosine)),
        ("above 0.409", "%", Estimate.of(found.above_paper)),
        (f"above the own threshold {found.own_threshold:.2f}", "%", Estimate.of(found.above_own)),
    ]
    return [
        Comparison(row, name, unit, published(ITEM, "faces", name), here, REASON_FACES, origin)  # type: ignore[arg-type]
        for name, unit, here in figures
    ]


def _people_rows(part: PaperCells) -> list[Comparison]:
    """Persons that the detector no longer finds: the recall, at a fixed score, of those found on raw pictures."""
    key = {view: cell_keys.person_detection(view, False) for view in (RAW, INVERT)}
    raw, inverted = (part.value(PersonDetectionResult, key[view]) for view in (RAW, INVERT))
    if raw is None or inverted is None or not raw.recall or inverted.recall is None:
        return []
    missed, origin = Estimate(100 * (1 - inverted.recall / raw.recall)), part.origin(key[INVERT])
    reason = "a smaller detector, other photographs"
    figures = (
        ("missed of those detected raw", published(ITEM, "people", "missed"), missed),
        ("AP kept", None, Estimate.of(inverted.kept)),
    )
    return [Comparison("people", name, "%", paper, here, reason, origin) for name, paper, here in figures]


def _key(model: str) -> cell_keys.Key:
    return {"kind": "inverted faces", "model": model}

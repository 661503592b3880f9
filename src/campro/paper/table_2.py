"""Table II: a profile trained against a fixed recogniser beside one trained against attackers that learn in turn."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, NONE, RAW
from campro.audit.experiments import identify_views
from campro.evaluation import NEAREST
from campro.isp import load_profile
from campro.paper.comparison import Comparison, Estimate, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.paper.recipe_profiles import PROTECTOR_ONLY, profile_file
from campro.paper.table_1 import mean_rate, rank1

ITEM = "table-2"
PROFILES = {"protector only": PROTECTOR_ONLY, "protector and attacker": "campro-paper"}
"""Training -> profile. Both have the same preset, data, seed and number of rounds."""
TRAINING = {"kind": "training"}
"""Key of the cell that describes the training of a profile."""
REASON = "few rounds on few people here, other recognisers and detectors"


@dataclass(frozen=True)
class Training:
    """What a profile was trained with."""

    seen: str
    """The recogniser that it was trained against."""
    note: str
    """Rounds, and whether warm-up reached its threshold."""


def measure(context: PaperContext) -> None:
    """Identification on raw and captured faces, for both profiles."""
    for name in PROFILES.values():
        file = profile_file(context.config.out, name)
        part, provenance = context.part(context.main_faces, name), load_profile(file).provenance
        if part.cell(TRAINING) is None:
            part.write_cell(TRAINING, Training(provenance.models.get("recogniser", ""), provenance.note))
        identify_views(part, context.audit(context.main_faces, str(file), enhancer=NONE, matchers=(NEAREST,)))


def section(cells: PaperCells) -> Section:
    """Per training: rank-1 of the seen recogniser, the mean of unseen ones, and their ratio."""
    rows, notes = [], []
    for label, profile in PROFILES.items():
        for data in cells.named("data", profile=profile, kind="training"):
            part = cells.part(data=data, profile=profile)
            training = part.value(Training, TRAINING)
            assert training is not None  # it is where the data set was found
            rows += _rows(part, label, training)
            notes.append(f"{profile}: trained against {training.seen}; {training.note}.")
    how = (
        "Rank-1 in % without an attack, captured probes against a raw gallery, for the recogniser that the profile was "
        "trained against (seen, white-box) and for others (unseen, black-box). The closer their ratio is to 1, the "
        "better the protection transfers."
    )
    return Section(how, tuple(rows), notes=tuple(notes))


def _rows(part: PaperCells, label: str, training: Training) -> list[Comparison]:
    models = part.named("model", kind="identification")
    captured = {model: rate for model in models if (rate := rank1(part, model, CAPTURED, NEAREST)) is not None}
    unseen = [rate for model, rate in captured.items() if model != training.seen]
    seen = captured.get(training.seen)
    figures: list[tuple[str, str, Estimate | None]] = [
        ("rank-1, seen", "%", Estimate.of(seen)),
        ("rank-1, unseen", "%", mean_rate(unseen) if unseen else None),
    ]
    if seen is not None and seen.mean > 0 and unseen:
        figures.append(("unseen / seen", "1", Estimate(fmean(rate.mean for rate in unseen) / seen.mean)))
    first = next(iter(captured), "")
    origin = part.origin(cell_keys.identification(first, CAPTURED, NEAREST))
    return [
        Comparison(label, name, unit, published(ITEM, label, name), here, REASON, origin)  # type: ignore[arg-type]
        for name, unit, here in figures
        if here is not None
    ] + [
        Comparison(
            f"{label}, {model}",
            f"rank-1, {view}",
            "%",
            None,
            Estimate.of(rank1(part, model, view, NEAREST)),
            "",
            origin,
        )
        for model in captured
        for view in (RAW, CAPTURED)
    ]

"""Table III: person detection on raw, degraded and captured pictures, by the detector as given and adapted."""

from __future__ import annotations

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.experiments import measure_person_view
from campro.audit.results import PersonDetectionResult
from campro.core.provenance import Origin
from campro.paper.comparison import Comparison, Estimate, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.report.tables import Table
from campro.report.text import GAP, percent

ITEM = "table-3"
BASELINES = ("low-resolution-16", "defocus-25-7")
VIEWS = (RAW, *BASELINES, CAPTURED)
SCORES = ("ap", "ap50", "ap75", "precision", "recall", "f1")
REASON = "another detector, another profile, fewer photographs; the paper adapts with labels, this run without"


def measure(context: PaperContext) -> None:
    """A cell per view for the detector as given, then for the adapted one, where the scale adapts it."""
    data = context.main_faces
    audit = context.audit(data, context.config.profile, baselines=BASELINES)
    part = context.part(data, context.profile.name)
    for adapted in (False, True) if audit.adapts else (False,):
        for view in VIEWS:
            measure_person_view(part, audit, view, adapted)


def section(cells: PaperCells) -> Section:
    """The share of the raw AP that each view keeps beside the paper's, and all scores."""
    rows: list[Comparison] = []
    lines: list[tuple[str, ...]] = []
    for data in cells.named("data", profile=cells.settings.profile, kind="person detection"):
        part = cells.part(data=data, profile=cells.settings.profile)
        for view in VIEWS:
            found = {kind: _found(part, view, kind) for kind in (False, True)}
            lines += [_line(view, kind, one) for kind, one in found.items() if one is not None]
            if view != RAW and (best := better(found)) is not None:
                rows.append(_kept(part, view, *best))
    how = (
        "AP and the other scores in %; precision, recall and F1 at score 0.25 and IoU 0.5. The better of the detector "
        "as given and adapted counts: an adaptation that ends below as given is none."
    )
    header = ("view", "detector", "AP", "AP50", "AP75", "precision", "recall", "F1")
    notes = (
        f"The published table is recorded as shares of the raw AP only. Detector here: {cells.settings.detector}.",
    )
    return Section(how, tuple(rows), (Table((), header, tuple(lines)),), notes=notes)


def better(found: dict[bool, PersonDetectionResult | None]) -> tuple[bool, PersonDetectionResult] | None:
    """Whether it is adapted, and the result with the higher AP; None without any."""
    known = [(kind, one) for kind, one in found.items() if one is not None]
    return max(known, key=lambda pair: pair[1].ap or 0.0, default=None)


def _found(part: PaperCells, view: str, adapted: bool) -> PersonDetectionResult | None:
    return part.value(PersonDetectionResult, cell_keys.person_detection(view, adapted))


def _line(view: str, adapted: bool, found: PersonDetectionResult) -> tuple[str, ...]:
    ap, *others = (getattr(found, score) for score in SCORES)
    interval = GAP if ap is None else f"{percent(ap)} [{percent(found.ap_low)}, {percent(found.ap_high)}]"
    return (view, "adapted" if adapted else "as given", interval, *map(percent, others))


def _kept(part: PaperCells, view: str, adapted: bool, found: PersonDetectionResult) -> Comparison:
    origin: Origin | None = part.origin(cell_keys.person_detection(view, adapted))
    label = f"{view}, {'adapted' if adapted else 'as given'}"
    paper = published(ITEM, view, "AP kept")
    return Comparison(label, "AP kept of the raw AP", "%", paper, Estimate.of(found.kept), REASON, origin)

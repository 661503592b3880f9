"""Table III: person detection on raw, degraded and captured pictures, by the detector as given and adapted."""

from __future__ import annotations

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.experiments import measure_person_view
from campro.audit.results import PersonDetectionResult
from campro.metrics.rates import Ratio
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
    lines: list[tuple[str, ...]] = []
    for data in cells.named("data", profile=cells.settings.profile, kind="person detection"):
        part = cells.part(data=data, profile=cells.settings.profile)
        for view in VIEWS:
            results = {kind: _found(part, view, kind) for kind in (False, True)}
            lines += [_line(f"{data}, {view}", kind, one) for kind, one in results.items() if one is not None]
    rows = tuple(comparison for _, comparison in kept_by_view(cells))
    how = (
        "AP and the other scores in %; precision, recall and F1 at score 0.25 and IoU 0.5. The better of the detector "
        "as given and adapted counts: an adaptation that ends below as given is none."
    )
    header = ("view", "detector", "AP", "AP50", "AP75", "precision", "recall", "F1")
    notes = (
        f"Published numbers are recorded as shares of the raw AP only. Detector here: {cells.settings.detector}.",
        "Where a finished audit has no interval of the share, it is that of the AP, over the raw AP as it is.",
    )
    return Section(how, rows, (Table((), header, tuple(lines)),), notes=notes)


def kept_by_view(cells: PaperCells) -> list[tuple[str, Comparison]]:
    """(view, share of the raw AP that it keeps) of each data set."""
    rows = []
    for data in cells.named("data", profile=cells.settings.profile, kind="person detection"):
        part = cells.part(data=data, profile=cells.settings.profile)
        for view in (CAPTURED, *BASELINES):
            if (found := best_kept(part, view)) is not None:
                adapted, ratio = found
                label = f"{data}, {view}, {'adapted' if adapted else 'as given'}"
                paper, origin = published(ITEM, view, "AP kept"), part.origin(cell_keys.person_detection(view, adapted))
                here = Estimate.of(ratio)
                rows.append((view, Comparison(label, "AP kept of the raw AP", "%", paper, here, REASON, origin)))
    return rows


def best_kept(part: PaperCells, view: str) -> tuple[bool, Ratio] | None:
    """Whether the better detector is the adapted one, and the share of the raw AP that it keeps.

    Cells of older versions have no interval of the share: then it is that of the AP, over the raw AP as it is.
    """
    best = better({kind: _found(part, view, kind) for kind in (False, True)})
    raw = better({kind: _found(part, RAW, kind) for kind in (False, True)})
    if best is None or raw is None or not raw[1].ap or best[1].ap is None:
        return None
    adapted, found = best
    if found.kept is not None:
        return adapted, found.kept
    if found.ap is None or found.ap_low is None or found.ap_high is None:
        return None
    return adapted, Ratio(*(value / raw[1].ap for value in (found.ap, found.ap_low, found.ap_high)))


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

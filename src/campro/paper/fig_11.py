"""Fig. 11: identification over person detection, of profiles and of low resolution and defocus.

The second panel has the worst attack instead of no attack, which the paper does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.experiments import identify_views, measure_person_view
from campro.audit.results import IdentificationResult, PersonDetectionResult
from campro.isp import BUILTIN_PROFILES
from campro.metrics.rates import Rate, Ratio
from campro.paper.comparison import Comparison, Estimate, Figure, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.paper.table_3 import better
from campro.paper.worst_attacks import worst_by_profile
from campro.report.plots import COLOURS, STYLE, svg_uri

ITEM = "fig-11"
RIVALS = ("low-resolution-4", "low-resolution-8", "low-resolution-16", "defocus-9-3", "defocus-13-5", "defocus-15-7")
OMEGA = {"campro-default": "omega 4"}
"""Weight of person detection in the training of a profile, where its name does not give it."""
REASON = "other recognisers, another detector; the profiles are not the paper's"
WORST = "worst attack"


@dataclass(frozen=True)
class Point:
    """One profile or rival: what it keeps of the AP, and the rank-1 rate."""

    name: str
    kept: Ratio
    rank1: Rate


def designed_profiles() -> tuple[str, ...]:
    """Built-in profiles that were designed by this project."""
    return tuple(name for name in BUILTIN_PROFILES if name.startswith("campro-"))


def measure(context: PaperContext) -> None:
    """Identification (nearest matcher) and person detection on each rival and behind each profile."""
    data = context.main_faces
    chosen = context.profile.name
    one = context.recognisers[:1] if context.root is None else context.recognisers
    rivals = RIVALS[1:2] if context.root is None else RIVALS
    others = [name for name in designed_profiles() if name != chosen]
    for profile, baselines in ((context.config.profile, rivals), *((name, ()) for name in others)):
        audit = context.audit(
            data, profile, baselines=baselines, matchers=("nearest",), enhancer="none", face_models=one
        )
        part = context.part(data, audit.profile.name)
        for adapted in (False, True) if audit.adapts else (False,):
            for view in audit.views:
                measure_person_view(part, audit, view, adapted)
        identify_views(part, audit)
        if context.root is None:
            return


def section(cells: PaperCells) -> Section:
    """Both panels as plots, and their points as rows."""
    plain, worst = unattacked(cells), attacked(cells)
    rows = [
        Comparison(one.name, f"{kind}: {figure}", "%", published(ITEM, one.name, kind), Estimate.of(value), REASON)
        for kind, points in (("no attack", plain), (WORST, worst))
        for one in points
        for figure, value in (("AP kept", one.kept), ("rank-1", one.rank1))
    ]
    how = (
        "Right and low is good: people are detected and not identified. Each point is a profile or a rival; bars are "
        "95 % intervals. Left panel: the highest rank-1 over recognisers without an attack, as in the paper. Right "
        f"panel: the {WORST} that was run."
    )
    figures = (Figure(_plot(plain, worst), how),) if plain else ()
    missing = sorted({*RIVALS, *designed_profiles()} - {one.name for one in worst})
    notes = (
        [f"Without an attack of the whole suite, and so not in the right panel: {', '.join(missing)}."] if plain else []
    )
    return Section(how, tuple(rows), figures=figures, notes=tuple(notes))


def unattacked(cells: PaperCells) -> list[Point]:
    """Without an attack: the highest rank-1 over recognisers, and the AP kept by the better detector."""
    points = []
    for profile in cells.named("profile", kind="identification"):
        for data in cells.named("data", profile=profile, kind="identification")[:1]:
            part = cells.part(data=data, profile=profile)
            for view in (CAPTURED, *RIVALS):
                rates, kept = _rates(part, view), _kept(part, view)
                if rates and kept is not None:
                    name = profile if view == CAPTURED else view
                    points.append(Point(name, kept, max(rates, key=lambda rate: rate.mean)))
    return points


def attacked(cells: PaperCells) -> list[Point]:
    """With the worst attack of each profile; AP as in the audit of the attacks, else as without an attack."""
    kept = {one.name: one.kept for one in unattacked(cells)}
    points = []
    for name, found in worst_by_profile(cells).items():
        worst = max(found.values(), key=lambda one: one.rank1.mean)
        share = worst.kept or kept.get(name)
        if share is not None:
            points.append(Point(name, share, worst.rank1))
    return points


def _rates(part: PaperCells, view: str) -> list[Rate]:
    models = part.named("model", kind="identification")
    keys = [cell_keys.identification(model, view, "nearest") for model in models]
    return [found.rank1 for key in keys if (found := part.value(IdentificationResult, key)) is not None]


def _kept(part: PaperCells, view: str) -> Ratio | None:
    keys = {adapted: cell_keys.person_detection(view, adapted) for adapted in (False, True)}
    best = better({adapted: part.value(PersonDetectionResult, key) for adapted, key in keys.items()})
    return None if best is None or view == RAW else best[1].kept


def _plot(plain: Sequence[Point], worst: Sequence[Point]) -> str:
    with rc_context(STYLE):
        canvas = Canvas(figsize=(9.6, 3.9), layout="constrained")
        left, right = canvas.subplots(1, 2, sharey=True)
        names = list(dict.fromkeys(point.name for point in (*plain, *worst)))
        colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}
        _panel(left, plain, colours, "no attack")
        _panel(right, worst, colours, WORST)
        left.set_ylabel("rank-1, %")
        handles = {h.get_label(): h for axes in (left, right) for h in axes.get_legend_handles_labels()[0]}
        canvas.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5, fontsize=7)
        return svg_uri(canvas)


def _panel(axes: Axes, points: Sequence[Point], colours: dict[str, str], title: str) -> None:
    for one in points:
        x, y = 100 * one.kept.mean, 100 * one.rank1.mean
        across = [[x - 100 * one.kept.low], [100 * one.kept.high - x]]
        along = [[y - 100 * one.rank1.low], [100 * one.rank1.high - y]]
        label = f"{one.name}, {OMEGA[one.name]}" if one.name in OMEGA else one.name
        marker = "s" if one.name in RIVALS else "D"
        axes.errorbar(x, y, along, across, fmt=marker, color=colours[one.name], capsize=2, markersize=5, label=label)
    axes.set(title=title, xlabel="AP kept of the raw AP, %", xlim=(-3, 110), ylim=(-3, 103))

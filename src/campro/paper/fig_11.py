"""Fig. 11: identification over person detection, of profiles and of low resolution and defocus.

The second panel has the worst attack instead of no attack, which the paper does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from campro.attacks.filters import NO_ATTACK
from campro.audit import cell_keys
from campro.audit.attack_rows import attack_rows
from campro.audit.audit_config import CAPTURED
from campro.audit.experiments import identify_views, measure_person_view
from campro.core.provenance import Origin
from campro.isp import BUILTIN_PROFILES
from campro.metrics.rates import Rate, Ratio
from campro.paper import recipe_profiles
from campro.paper.comparison import Comparison, Estimate, Figure, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext
from campro.paper.published_figures import published
from campro.paper.table_1 import rank1
from campro.paper.table_3 import best_kept
from campro.paper.worst_attacks import AUDITED, worst_by_profile
from campro.report.plots import COLOURS, STYLE, svg_uri

ITEM = "fig-11"
RIVALS = ("low-resolution-4", "low-resolution-8", "low-resolution-16", "defocus-9-3", "defocus-13-5", "defocus-15-7")
OMEGA = {"campro-default": 4.0} | recipe_profiles.OMEGA
"""Weight of person detection in the training of a profile; the others were not trained."""
REASON = "other recognisers, another detector; the profiles are not the paper's"
WORST = "worst attack"


@dataclass(frozen=True)
class Point:
    """One profile or rival: what it keeps of the AP, and the rank-1 rate."""

    name: str
    kept: Ratio
    rank1: Rate
    origin: Origin | None = None
    """Of the AP without an attack, of the rank-1 rate with one."""


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
    others += [str(recipe_profiles.profile_file(context.config.out, name)) for name in recipe_profiles.OMEGA]
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
        Comparison(
            one.name, f"{kind}: {figure}", "%", published(ITEM, one.name, kind), Estimate.of(value), REASON, one.origin
        )
        for kind, points in (("no attack", plain), (WORST, worst))
        for one in points
        for figure, value in (("AP kept", one.kept), ("rank-1", one.rank1))
    ]
    how = (
        "Right and low is good: people are detected and not identified. Each point is a profile or a rival; bars are "
        "95 % intervals. Left panel: the highest rank-1 over recognisers without an attack, as in the paper. Right "
        f"panel: the {WORST} that was run."
    )
    caption = "Left: no attack. Right: the worst attack that was run. Squares: rivals; diamonds: profiles."
    figures = (Figure(_plot(plain, worst), caption),) if plain else ()
    missing = sorted({*RIVALS, *designed_profiles(), *recipe_profiles.OMEGA} - {one.name for one in worst})
    notes = (
        [f"Without an attack of the whole suite, and so not in the right panel: {', '.join(missing)}."] if plain else []
    )
    return Section(how, tuple(rows), figures=figures, notes=tuple(notes))


def unattacked(cells: PaperCells) -> list[Point]:
    """Without an attack: the highest rank-1 over recognisers, and the AP kept by the better detector.

    A profile that was measured with the rivals counts there: the same photographs and recognisers, and a detector that
    is adapted for all or for none. Otherwise its finished audit counts.
    """
    points: dict[str, Point] = {}
    for profile in cells.named("profile", kind="person detection"):
        for data in sorted(
            cells.named("data", profile=profile, kind="person detection"), key=lambda one: one == AUDITED
        ):
            part = cells.part(data=data, profile=profile)
            for view in (CAPTURED, *RIVALS):
                rates, kept = _rates(part, view), best_kept(part, view)
                if rates and kept is not None:
                    name, best = profile if view == CAPTURED else view, max(rates, key=lambda rate: rate.mean)
                    origin = part.origin(cell_keys.person_detection(view, kept[0]))
                    points.setdefault(name, Point(name, kept[1], best, origin))
    return list(points.values())


def attacked(cells: PaperCells) -> list[Point]:
    """With the worst attack of each profile that was attacked; AP as without an attack.

    No attack by another recogniser may be worse than every attack that was run.
    """
    plain = {one.name: one for one in unattacked(cells)}
    points = []
    for name, found in worst_by_profile(cells).items():
        worst = max(found.values(), key=lambda row: row.rank1.mean)
        if name in plain:
            attack = Point(name, plain[name].kept, worst.rank1, worst.best.origin)
            points.append(max(attack, plain[name], key=lambda point: point.rank1.mean))
    return points


def _rates(part: PaperCells, view: str) -> list[Rate]:
    """Rank-1 rates of all recognisers, nearest matcher."""
    models = part.named("model", kind="identification")
    rates = [rate for model in models if (rate := rank1(part, model, view, "nearest")) is not None]
    plain = [row.rank1 for row in attack_rows(part) if row.attack == NO_ATTACK.name] if view == CAPTURED else []
    return [*rates, *plain]


def _plot(plain: Sequence[Point], worst: Sequence[Point]) -> str:
    with rc_context(STYLE):
        canvas = Canvas(figsize=(9.6, 3.9), layout="constrained")
        left, right = canvas.subplots(1, 2, sharey=True)
        names = list(dict.fromkeys(point.name for point in (*plain, *worst)))
        styles = {name: _style(number) for number, name in enumerate(names)}
        _panel(left, plain, styles, "no attack")
        _panel(right, worst, styles, WORST)
        left.set_ylabel("rank-1, %")
        handles = {h.get_label(): h for axes in (left, right) for h in axes.get_legend_handles_labels()[0]}
        canvas.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5, fontsize=7)
        return svg_uri(canvas)


def _style(number: int) -> tuple[str, str]:
    """Colours of lines and marker of the point with this number; once all are used, markers are hollow."""
    again, place = divmod(number, len(COLOURS))
    return COLOURS[place], "white" if again else COLOURS[place]


def _panel(axes: Axes, points: Sequence[Point], styles: dict[str, tuple[str, str]], title: str) -> None:
    for one in points:
        x, y = 100 * one.kept.mean, 100 * one.rank1.mean
        across = [[x - 100 * one.kept.low], [100 * one.kept.high - x]]
        along = [[y - 100 * one.rank1.low], [100 * one.rank1.high - y]]
        label = f"{one.name}, omega {OMEGA[one.name]:g}" if one.name in OMEGA else one.name
        marker = "s" if one.name in RIVALS else "D"
        colour, face = styles[one.name]
        axes.errorbar(x, y, along, across, fmt=marker, color=colour, mfc=face, capsize=2, markersize=5, label=label)
    axes.set(title=title, xlabel="AP kept of the raw AP, %", xlim=(-3, 110), ylim=(-3, 103))

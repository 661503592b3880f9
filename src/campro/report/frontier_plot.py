"""The plot of a range search: worst rank-1 over the person detection that is kept, a panel for each density."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from campro.core.typed_json import from_json
from campro.report.plots import COLOURS, STYLE
from campro.search.range_objective import FULL_SIZE
from campro.search.range_search import FRONTIER, LEAST_AP, TriedSetting, frontier, goal

PLOT = "frontier.png"


def plot_frontier(folder: Path) -> Path:
    """Draw frontier.json of a run folder; returns the path of the picture."""
    document = json.loads((folder / FRONTIER).read_text())
    tried = from_json(tuple[TriedSetting, ...], document["tried"], f"{folder / FRONTIER}, tried")
    return draw(tried, document["chosen"]["digest"], folder / PLOT)


def draw(tried: Sequence[TriedSetting], chosen: str, out: Path) -> Path:
    """One panel per density; filled points are on the frontier, the star is the chosen setting."""
    attacked = [one for one in tried if one.worst]
    best = {one.digest for one in frontier(attacked)}
    densities = [one.density for one in attacked[0].worst]
    with rc_context(STYLE):
        figure = Figure((3.4 * len(densities), 3.2), layout="constrained", dpi=130)
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, len(densities), sharex=True, squeeze=False)[0]
        for place, (axes, density) in enumerate(zip(panels, densities, strict=True)):
            _panel(axes, place, density, attacked, best, chosen)
        panels[0].set_ylabel("rank-1, worst attack tried (%)")
        figure.savefig(out)
    return out


def _panel(axes: Axes, place: int, density: float, tried: Sequence[TriedSetting], best: set[str], chosen: str) -> None:
    for one in tried:
        x, y = 100 * one.people.kept_ap.mean, 100 * one.worst[place].rank1.mean
        fill = COLOURS[1] if one.digest in best else "none"
        marker, size = ("*", 130) if one.digest == chosen else ("o", 26)
        axes.scatter(x, y, size, marker=marker, facecolors=fill, edgecolors=COLOURS[1], zorder=3)
    axes.axvline(100 * LEAST_AP, color=COLOURS[0], dashes=(4, 3), linewidth=1)
    axes.axhline(100 * goal(density), color=COLOURS[2], dashes=(4, 3), linewidth=1)
    axes.set_title("full size" if density == FULL_SIZE else f"{density:g} px/m")
    axes.set_xlabel("AP kept (% of raw)")
    axes.set_ylim(bottom=0)

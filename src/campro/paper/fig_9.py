"""Fig. 9: t-SNE of the embeddings of ten people, raw and captured.

Captured faces are placed among the raw ones by an out-of-sample embedding (openTSNE): raw points stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Canvas

from campro.audit.audit_config import CAPTURED, RAW
from campro.core.extras import require
from campro.core.provenance import Origin
from campro.metrics.rates import Rate
from campro.paper.comparison import Comparison, Estimate, Figure, Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import CELEBA, PaperContext
from campro.paper.published_figures import published
from campro.report.plots import COLOURS, STYLE, svg_uri

ITEM, PEOPLE = "fig-9", 10
GRID = 160
"""Points per side at which decision regions are drawn."""
REASON = "other people and another recogniser"
Points = Float[np.ndarray, "N 2"]


@dataclass(frozen=True)
class Maps:
    """Places of the photographs of ten people in three maps, rounded, and the number of the person on each."""

    model: str
    people: tuple[int, ...]
    raw: tuple[tuple[float, ...], ...]
    placed: tuple[tuple[float, ...], ...]
    """Captured faces in the map of the raw ones."""
    captured: tuple[tuple[float, ...], ...]
    """Captured faces in a map of their own."""
    raw_hits: Rate
    """Share of raw points whose nearest other raw point is of the same person."""
    placed_hits: Rate
    """Share of captured points, among the raw ones, whose nearest raw point is of the same person."""
    captured_hits: Rate


def measure(context: PaperContext) -> None:
    """One cell: the ten people with most photographs, by the first recogniser.

    Raises:
        CamproError: without the package openTSNE, or data.
    """
    data = CELEBA if CELEBA in context.face_sets else context.main_faces
    part, model = context.part(data, context.profile.name), context.recognisers[0]
    if part.cell(_key(model)) is not None:
        return
    require("openTSNE", "tsne", "Fig. 9")
    audit = context.audit(data, context.config.profile)
    subjects = audit.evaluation.subjects.numpy()
    counts = np.bincount(subjects)
    chosen = np.argsort(-counts, kind="stable")[:PEOPLE]
    rows = np.isin(subjects, chosen)
    found = {view: all_rows.numpy()[rows] for view, all_rows in audit.embed(model, [CAPTURED]).items()}
    part.write_cell(_key(model), maps_of(model, found[RAW], found[CAPTURED], subjects[rows], context.config.seed))


def maps_of(
    model: str,
    raw: Float[np.ndarray, "N D"],
    captured: Float[np.ndarray, "N D"],
    people: Int[np.ndarray, "N"],
    seed: int,
) -> Maps:
    """Three maps of unit-norm embeddings; `people` numbers the person on each photograph."""
    plain, own = (_fitted(one, seed) for one in (raw, captured))
    placed = np.asarray(plain.transform(captured))
    numbers = np.unique(people, return_inverse=True)[1]
    return Maps(
        model,
        tuple(numbers.tolist()),
        _rounded(plain),
        _rounded(placed),
        _rounded(own),
        _hits(np.asarray(plain), np.asarray(plain), numbers, same=True),
        _hits(placed, np.asarray(plain), numbers, same=False),
        _hits(np.asarray(own), np.asarray(own), numbers, same=True),
    )


def _fitted(embeddings: Float[np.ndarray, "N D"], seed: int) -> Any:
    """The map of openTSNE, cosine distances; it can place further points."""
    tsne = require("openTSNE", "tsne", "Fig. 9").TSNE
    perplexity = min(30.0, max(2.0, (len(embeddings) - 1) / 4))
    return tsne(perplexity=perplexity, metric="cosine", random_state=seed, n_jobs=1).fit(embeddings)


def _hits(points: Points, others: Points, people: Int[np.ndarray, "N"], same: bool) -> Rate:
    """Share of points whose nearest other point is of the same person; never the photograph itself."""
    distances = ((points[:, None] - others[None]) ** 2).sum(2)
    distances[np.arange(len(points)), np.arange(len(points))] = np.inf
    return Rate.of_counts(int((people[distances.argmin(1)] == people).sum()), len(people))


def _rounded(points: Points) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(x), 3) for x in point) for point in np.asarray(points))


def section(cells: PaperCells) -> Section:
    """The three maps, and the share of points beside a point of the same person."""
    rows: list[Comparison] = []
    figures: list[Figure] = []
    for data in cells.named("data", kind="t-SNE"):
        part = cells.part(data=data, profile=cells.settings.profile)
        for model in part.named("model", kind="t-SNE"):
            if (found := part.value(Maps, _key(model))) is not None:
                figures.append(
                    Figure(_plot(found), f"{data}, {model}: colours are people; regions: nearest raw point.")
                )
                rows += _rows(found, data, part.origin(_key(model)))
    how = (
        f"Ten people (guessing {1 / PEOPLE:.0%}): raw faces are clusters; captured ones, placed among the raw ones, "
        "should not fall into the region of their person; alone they may form clusters, which re-enrolment uses."
    )
    return Section(how, tuple(rows), figures=tuple(figures))


def _rows(found: Maps, data: str, origin: Origin | None) -> list[Comparison]:
    name = "nearest point is of the same person"
    shares = {"raw": found.raw_hits, "captured among raw": found.placed_hits, "captured": found.captured_hits}
    return [
        Comparison(f"{data}, {row}", name, "%", published(ITEM, row, name), Estimate.of(rate), REASON, origin)
        for row, rate in shares.items()
    ]


def _plot(found: Maps) -> str:
    raw, placed, own = (np.array(points) for points in (found.raw, found.placed, found.captured))
    people = np.array(found.people)
    with rc_context(STYLE):
        canvas = Canvas(figsize=(9.6, 3.4), layout="constrained")
        first, second, third = canvas.subplots(1, 3)
        panels = ((first, raw, "raw"), (second, placed, "captured, among raw"), (third, own, "captured"))
        for axes, points, title in panels:
            if axes is not third:
                _regions(axes, raw, people)
            axes.scatter(*points.T, c=[_colour(one) for one in people], s=12, edgecolors="white", linewidths=0.4)
            axes.set(title=title, xticks=[], yticks=[])
            axes.grid(False)
        return svg_uri(canvas)


def _regions(axes: Axes, raw: Points, people: Int[np.ndarray, "N"]) -> None:
    """Colour the plane by the person of the nearest raw point."""
    low, high = raw.min(0) - 4, raw.max(0) + 4
    xs, ys = (np.linspace(start, stop, GRID) for start, stop in zip(low, high))
    plane = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 1, 2)
    nearest = people[((plane - raw[None]) ** 2).sum(2).argmin(1)].reshape(GRID, GRID)
    shown = np.array([_colour(one) for one in range(int(people.max()) + 1)])[nearest]
    axes.imshow(shown, origin="lower", extent=(low[0], high[0], low[1], high[1]), alpha=0.25, aspect="auto")


def _colour(person: int) -> tuple[float, float, float]:
    """One of ten colours: those of the report, then darker ones."""
    red, green, blue = to_rgb(COLOURS[person % len(COLOURS)])
    dark = 0.6 if person >= len(COLOURS) else 1.0
    return dark * red, dark * green, dark * blue


def _key(model: str) -> dict[str, str]:
    return {"kind": "t-SNE", "model": model}

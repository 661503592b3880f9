"""The table of what `campro paper` makes: one module and one line per table, figure or section of the paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from campro.paper import (
    claims,
    face_sections,
    fig_4,
    fig_9,
    fig_10,
    fig_11,
    table_1,
    table_2,
    table_3,
    table_4,
    table_5,
    table_6,
    table_7,
    worst_attacks,
)
from campro.paper.comparison import Section
from campro.paper.paper_cells import PaperCells
from campro.paper.paper_context import PaperContext


@dataclass(frozen=True)
class PaperItem:
    """One table, figure or section."""

    name: str
    """Value of `--only`."""
    title: str
    measure: Callable[[PaperContext], None]
    """Writes cells into the run folder, those that are missing. Raises CamproError where data or weights are missing;
    the run then goes on with the next item, and the page shows the message."""
    section: Callable[[PaperCells], Section]
    """What the page shows, from cells alone."""


PAPER_ITEMS: dict[str, PaperItem] = {
    item.name: item
    for item in (
        PaperItem("fig-4", "Fig. 4 and section IV: inverted colours", fig_4.measure, fig_4.section),
        PaperItem("table-4", "Table IV: image quality", table_4.measure, table_4.section),
        PaperItem("table-6", "Table VI: simulated and real captured pictures", table_6.measure, table_6.section),
        PaperItem("table-3", "Table III: person detection", table_3.measure, table_3.section),
        PaperItem("fig-10", "Figs. 10 and 15: people, poses and captions, drawn", fig_10.measure, fig_10.section),
        PaperItem("table-5", "Table V: poses and captions", table_5.measure, table_5.section),
        PaperItem("table-1", "Table I: identification without an attack", table_1.measure, table_1.section),
        PaperItem(
            face_sections.DETECTED,
            "Section VIII: face detection",
            face_sections.measure_detected,
            face_sections.detected,
        ),
        PaperItem(
            face_sections.ATTACKED,
            "Section VII: attacks",
            face_sections.measure_attacked,
            face_sections.attacked,
        ),
        PaperItem("fig-9", "Fig. 9: t-SNE of ten people", fig_9.measure, fig_9.section),
        PaperItem("worst-attacks", "The worst attacks", worst_attacks.measure, worst_attacks.section),
        PaperItem("fig-11", "Fig. 11: trade-off", fig_11.measure, fig_11.section),
        PaperItem("claims", "Claims C1 to C5", claims.measure, claims.section),
        PaperItem("table-2", "Table II: attackers that learn in turn", table_2.measure, table_2.section),
        PaperItem("table-7", "Table VII: retraining and restoration", table_7.measure, table_7.section),
        PaperItem("fig-14", "Fig. 14: the course of retraining", table_7.measure, table_7.figures),
    )
}

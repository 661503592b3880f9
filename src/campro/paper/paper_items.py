"""The table of what `campro paper` makes: one module and one line per table, figure or section of the paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from campro.paper import fig_4, table_1, table_4
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
        PaperItem("table-1", "Table I: identification without an attack", table_1.measure, table_1.section),
    )
}

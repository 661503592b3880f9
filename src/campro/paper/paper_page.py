"""The page, the tables in Markdown and the numbers as JSON, from the cells of a run alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

from campro.core.atomic_io import atomic_write
from campro.core.provenance import Origin
from campro.core.typed_json import as_plain
from campro.paper.comparison import Comparison, Section, estimate_text, number
from campro.paper.paper_cells import ItemStatus, PaperCells, PaperSettings, status_key
from campro.paper.paper_items import PAPER_ITEMS, PaperItem
from campro.report.findings import DIRTY
from campro.report.pages import page
from campro.report.tables import Table, as_markdown
from campro.report.text import GAP
from campro.report.write import written_on

PAGE, MARKDOWN, NUMBERS = "paper.html", "paper.md", "paper.json"
HEADER = ("what", "figure", "paper", "here", "why they differ")
UNRECORDED = GAP
INSIDE = "no difference: the published number is in the interval"


MADE_BY = (
    "Made from the cells of one run of `campro paper`, none of it by hand; the page of the run also has the plots. "
    "A dagger marks figures made with uncommitted changes; a dash under `paper` stands for a number that is not in "
    "src/campro/paper/published.json."
)
"""First lines of the tables in Markdown."""


@dataclass(frozen=True)
class Part:
    """One item as the page shows it."""

    item: PaperItem
    section: Section
    status: ItemStatus | None
    """None where the item was not asked for yet."""

    @property
    def remedy(self) -> str:
        """What to do about an item without figures, or with a problem; empty where it is complete."""
        if self.status is None:
            return f"Not made in this run: campro paper --only {self.item.name}"
        return f"Incomplete: {self.status.problem}" if self.status.problem else ""


def write_page(folder: Path) -> Path:
    """Write paper.html, paper.md and paper.json into a run folder; returns the path of the page.

    Raises:
        CamproError: where the folder has no cells of `campro paper`, or damaged ones.
    """
    cells = PaperCells.read(folder)
    parts = parts_of(cells)
    atomic_write(folder / NUMBERS, numbers_json(cells.settings, parts))
    atomic_write(folder / MARKDOWN, markdown(cells.settings, parts))
    atomic_write(folder / PAGE, html(cells.settings, parts))
    return folder / PAGE


def parts_of(cells: PaperCells) -> list[Part]:
    """All items, those that were not made without figures."""
    return [
        Part(item, item.section(cells), cells.value(ItemStatus, status_key(item.name))) for item in PAPER_ITEMS.values()
    ]


def html(settings: PaperSettings, parts: Sequence[Part]) -> str:
    """The page."""
    return page(
        PAGE,
        written=written_on(),
        settings=settings,
        parts=[(part, comparison_table(part.section.rows)) for part in parts],
        origins=origins_of(parts),
        dirty=any(origin.dirty for origin, _ in origins_of(parts)),
        captured="",
    )


def markdown(settings: PaperSettings, parts: Sequence[Part]) -> str:
    """The tables for the documentation, without figures; lines of text have at most 118 characters."""
    blocks = ["# The paper's tables and figures", _filled(MADE_BY), _filled(describe(settings))]
    for part in parts:
        blocks.append(f"## {part.item.title}")
        if part.section.rows or part.section.tables:
            blocks.append(_filled(part.section.how))
        if part.remedy:
            blocks.append(_filled(part.remedy))
        tables = [comparison_table(part.section.rows), *part.section.tables]
        blocks += [as_markdown(table).rstrip() for table in tables if table.rows]
        if part.section.notes:
            blocks.append("\n".join(_filled(note, "- ") for note in part.section.notes))
    made = [_filled(f"{count} figures: {origin_text(origin)}", "- ") for origin, count in origins_of(parts)]
    return "\n\n".join([*blocks, "## Provenance", "\n".join(made)]).rstrip() + "\n"


def _filled(text: str, bullet: str = "") -> str:
    """Text in lines, with a bullet in front."""
    return fill(text, 118, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_on_hyphens=False)


def describe(settings: PaperSettings) -> str:
    """Profile, scale, seed, data and models in one paragraph."""
    data = "; ".join(f"{one.name}: {one.people} people, {one.photos} photographs" for one in settings.data)
    models = ", ".join(model.name for model in settings.recognisers)
    return (
        f"Profile {settings.profile} ({settings.profile_digest[:12]}), scale {settings.scale}, seed {settings.seed}, "
        f"{settings.trials} trials. Data: {data}. Face recognisers: {models}; landmarks by {settings.landmarks}; "
        f"person detector: {settings.detector}."
    )


def numbers_json(settings: PaperSettings, parts: Sequence[Part]) -> str:
    """All comparisons with commit and machine."""
    document = {
        "settings": settings,
        "items": {
            part.item.name: {
                "title": part.item.title,
                "remedy": part.remedy,
                "rows": [_row_json(row) for row in part.section.rows],
                "tables": part.section.tables,
                "notes": part.section.notes,
            }
            for part in parts
        },
    }
    return json.dumps(as_plain(document), indent=1, allow_nan=False) + "\n"


def _row_json(row: Comparison) -> dict[str, Any]:
    values = {name: value for name, value in vars(row).items() if name != "origin"}
    return values | {"differs": row.differs, "origin": None if row.origin is None else origin_text(row.origin)}


def comparison_table(rows: Sequence[Comparison]) -> Table:
    """Paper, here and why they differ, as text."""
    return Table((), HEADER, tuple(_texts(row) for row in rows))


def _texts(row: Comparison) -> tuple[str, ...]:
    here = GAP if row.here is None else estimate_text(row.here, row.unit)
    mark = DIRTY if row.origin is not None and row.origin.dirty else ""
    paper = GAP if row.paper is None else number(row.paper, row.unit)
    return row.row, row.figure + ("" if row.unit == "1" else f", {row.unit}"), paper, here + mark, why(row)


def why(row: Comparison) -> str:
    """The last column: the reason where the numbers differ, else that there is nothing to explain."""
    if row.paper is None:
        return UNRECORDED
    if row.here is None:
        return GAP
    return row.reason if row.differs or row.here.low is None else INSIDE


def origins_of(parts: Sequence[Part]) -> list[tuple[Origin, int]]:
    """What made the figures, with the number of figures of each."""
    found: list[tuple[Origin, int]] = []
    for row in (row for part in parts for row in part.section.rows if row.origin is not None):
        place = next((i for i, (origin, _) in enumerate(found) if origin == row.origin), None)
        if place is None:
            found.append((row.origin, 1))  # type: ignore[arg-type]
        else:
            found[place] = (found[place][0], found[place][1] + 1)
    return found


def origin_text(origin: Origin) -> str:
    """Commit, versions and machine in one line."""
    torch = origin.libraries.get("torch", "")
    return f"commit {origin.label}, Python {origin.python}, torch {torch}, {origin.processor}, {origin.device}"

"""Make the chosen items one after the other, then the page."""

from __future__ import annotations

import time
from pathlib import Path

from campro.core.errors import CamproError
from campro.core.progress import note
from campro.core.typed_json import from_json
from campro.paper.paper_cells import SETTINGS, ItemStatus, status_key
from campro.paper.paper_context import PaperContext
from campro.paper.paper_items import PAPER_ITEMS, PaperItem
from campro.paper.paper_options import PaperConfig
from campro.paper.paper_page import write_page

PAGE_EVERY_S = 60.0
"""Seconds after which the page of a run in progress is written again: drawing it takes one or two."""


def run_paper(config: PaperConfig) -> Path:
    """Measure what is missing of the chosen items; returns the path of the page.

    Killed and started again it resumes with the first unfinished cell. Meanwhile the page is written after
    an item if it is older than PAGE_EVERY_S.

    Raises:
        CamproError: for an unknown item, or a run folder of other settings or data. An item that cannot be made raises
            nothing: its section says why.
    """
    if unknown := set(config.only) - set(PAPER_ITEMS):
        raise CamproError("--only", f"some of {', '.join(PAPER_ITEMS)}", ", ".join(sorted(unknown)))
    context = PaperContext(config)
    context.run.write_cell(SETTINGS, context.settings())
    write_page(config.out)
    written = time.monotonic()
    for item in PAPER_ITEMS.values():
        if not config.only or item.name in config.only:
            make(item, context)
            if time.monotonic() - written > PAGE_EVERY_S:
                write_page(config.out)
                written = time.monotonic()
    return write_page(config.out)


def make(item: PaperItem, context: PaperContext) -> ItemStatus:
    """Measure one item and write its state."""
    note(f"paper: {item.name}")
    start, before, problem = time.monotonic(), len(context.run.cells()), ""
    try:
        item.measure(context)
    except (CamproError, ImportError) as error:
        problem = " ".join(str(error).split())
        note(f"paper: {item.name} is left out: {problem}")
    old = context.run.cell(status_key(item.name))
    seconds = 0.0 if old is None else from_json(ItemStatus, old, item.name).seconds
    if len(context.run.cells()) > before:
        seconds = round(time.monotonic() - start, 1)
    status = ItemStatus(problem, seconds)
    context.run.write_cell(status_key(item.name), status)
    return status

"""Contract of every item of the paper: its section is made from cells alone, also from none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from campro.core.errors import CamproError
from campro.core.run_folder import RunFolder
from campro.paper.paper_cells import SETTINGS, PaperCells, status_key
from campro.paper.paper_items import PAPER_ITEMS
from campro.paper.paper_options import ITEM_NAMES, SCALES, PaperConfig
from campro.paper.paper_page import write_page
from campro.paper.paper_run import make, run_paper
from campro.paper.published_figures import figures_of


def test_the_names_of_options_are_those_of_the_table():
    assert tuple(PAPER_ITEMS) == ITEM_NAMES
    assert [item.name for item in PAPER_ITEMS.values()] == list(PAPER_ITEMS)
    with pytest.raises(CamproError, match="--only"):
        run_paper(PaperConfig(only=("table-99",)))
    assert PaperConfig(scale="small").sizes is SCALES["small"]


@pytest.mark.parametrize("name", PAPER_ITEMS)
def test_a_section_without_cells(name, paper_run):
    """It says how to read it, has no number, and the page says how to make it."""
    section = PAPER_ITEMS[name].section(PaperCells(paper_run.cells()))
    assert section.how.endswith(".")
    assert all(row.here is None for row in section.rows)
    page = write_page(paper_run.path).read_text()
    assert f"campro paper --only {name}" in page


@pytest.mark.parametrize("name", PAPER_ITEMS)
def test_published_numbers_have_a_source(name):
    assert all(isinstance(number, float | None) for row in figures_of(name).values() for number in row.values())


def test_an_item_that_cannot_be_made_says_why_and_the_page_is_written(paper_run):
    def fail(context):
        raise CamproError("data", "faces of celeba", "none", "put them into celeba/")

    class Context:
        run = paper_run

    item = replace(PAPER_ITEMS["table-1"], measure=fail)
    status = make(item, Context())
    assert "put them into celeba/" in status.problem
    assert paper_run.cell(status_key("table-1"))["problem"] == status.problem
    assert "put them into celeba/" in write_page(paper_run.path).read_text()
    document = json.loads((paper_run.path / "paper.json").read_text())
    assert "put them into celeba/" in document["items"]["table-1"]["remedy"]


def test_other_folders_are_refused(tmp_path):
    run = RunFolder.open(tmp_path / "run", {})
    run.write_cell({"kind": "other"}, 1)
    assert run.cell(SETTINGS) is None
    with pytest.raises(CamproError, match="campro paper"):
        PaperCells.read(run.path)

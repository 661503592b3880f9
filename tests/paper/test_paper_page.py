"""The page of a run, and the page of the documentation, which is made from published cells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.figures.paper_tables import page_of
from campro.audit import cell_keys
from campro.audit.results import QualityResult
from campro.paper.paper_page import write_page
from campro.paper.scoped_run import ScopedRun

ROOT = Path(__file__).parents[2]
CELLS = ROOT / "benchmarks" / "results" / "paper" / "cells.jsonl"


def test_rows_beside_published_numbers(paper_run):
    """Table IV: enhanced pictures of 30 dB, where the paper has 21.5."""
    part = ScopedRun(paper_run, {"data": "lfw", "profile": "campro-default"})
    found = {"outside faces": QualityResult(8.0, 30.0, 0.9, 0.95, 5)}
    part.write_cell(cell_keys.image_quality("enhanced"), found)
    html = write_page(paper_run.path).read_text()
    assert "<td" in html and ">21.5<" in html and ">30.0" in html
    rows = json.loads((paper_run.path / "paper.json").read_text())["items"]["table-4"]["rows"]
    psnr = next(row for row in rows if row["figure"] == "PSNR")
    assert (psnr["paper"], psnr["here"]["value"]) == (21.5, 30.0)
    assert psnr["origin"].startswith("commit ")
    assert "| enhanced, outside faces | PSNR, dB | 21.5 | 30.0" in (paper_run.path / "paper.md").read_text()


@pytest.mark.slow
def test_the_page_of_the_documentation_is_made_from_the_published_cells():
    if not CELLS.is_file():
        pytest.skip("no published cells")
    written, now = (ROOT / "docs" / "paper.md").read_text("utf-8"), page_of(CELLS)
    rows = [[line for line in text.splitlines() if line.startswith("|")] for text in (written, now)]
    assert rows[0] == rows[1]  # an item that was added later has no rows

"""Image quality: the enhancer that ships, and further ones, from cells written by hand."""

from __future__ import annotations

from campro.audit import cell_keys
from campro.audit.image_quality import OUTSIDE
from campro.audit.results import QualityResult
from campro.paper import table_4
from campro.paper.paper_cells import PaperCells
from campro.paper.scoped_run import ScopedRun


def test_further_enhancers_have_rows_beside_the_published_figures(paper_run):
    labels = {"data": "lfw", "profile": "campro-default"}
    for further, psnr in (({}, 34.0), ({"enhancer": "unet"}, 20.0)):
        part = ScopedRun(paper_run, labels | further)
        part.write_cell(cell_keys.image_quality("enhanced"), {OUTSIDE: QualityResult(9.0, psnr, 0.9, 0.8, 3)})
    rows = table_4.section(PaperCells(paper_run.cells())).rows
    found = {row.row: (row.here.value, row.paper) for row in rows if row.figure == "PSNR"}
    assert found == {f"enhanced, {OUTSIDE}": (34.0, 21.5), f"unet, {OUTSIDE}": (20.0, 21.5)}

"""Table I from cells written by hand."""

from __future__ import annotations

from campro.audit import cell_keys
from campro.audit.results import IdentificationResult
from campro.metrics.rates import Rate
from campro.paper import table_1
from campro.paper.comparison import Estimate
from campro.paper.paper_cells import PaperCells
from campro.paper.scoped_run import ScopedRun


def result(mean: float) -> IdentificationResult:
    rate = Rate(mean, mean / 2, mean, 100)
    return IdentificationResult(100, rate, rate, rate, (mean,), ())


def test_averages_over_recognisers_and_data_sets(paper_run):
    for data, model, mean in (("lfw", "white", 0.1), ("lfw", "other", 0.3), ("celeba", "white", 0.4)):
        part = ScopedRun(paper_run, {"data": data, "profile": "campro-default"})
        part.write_cell(cell_keys.identification(model, "captured", "nearest"), result(mean))
    other = ScopedRun(paper_run, {"data": "lfw", "profile": "invert"})
    other.write_cell(cell_keys.identification("white", "captured", "nearest"), result(1.0))
    section = table_1.section(PaperCells(paper_run.cells()))
    (row,) = section.rows
    assert (row.row, row.figure) == ("average, captured", "rank-1, nearest")
    assert row.here == Estimate(26.666666667, 13.333333333, 26.666666667)
    assert row.origin is not None
    assert section.tables[0].rows == (
        ("white *", "captured", "nearest", "10.0 [5.0, 10.0]", "40.0 [20.0, 40.0]", "25.0"),
        ("other", "captured", "nearest", "30.0 [15.0, 30.0]", "–", "–"),
    )

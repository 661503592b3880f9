"""Table VI from the document of a calibration."""

from __future__ import annotations

from campro.metrics.rates import Ratio
from campro.paper import table_6
from campro.paper.paper_cells import PaperCells


def test_figures_of_a_calibration(paper_run):
    agreement = {"rmse": 20.0, "psnr": 22.0, "ssim": 0.6}
    ap = {"ap": 0.4, "interval": [0.3, 0.5]}
    document = {
        "nominal": agreement | {"psnr": None},
        "calibrated": agreement,
        "validation": ["a", "b"],
        "pseudo_ground_truth_ap": {"detector": "d", "persons": 3, "real": ap, "simulated": ap},
    }
    found = table_6.figures_of(document)
    assert (found.pairs, found.persons, found.ap_real) == (2, 3, Ratio(0.4, 0.3, 0.5))
    paper_run.write_cell(table_6.KEY, found)
    rows = table_6.section(PaperCells(paper_run.cells())).rows
    assert [row.here is None for row in rows] == [False, True, *[False] * 6]
    assert rows[-1].here is not None and rows[-1].here.value == 40.0


def test_a_calibration_without_persons_has_no_ap():
    agreement = {"rmse": 20.0, "psnr": 22.0, "ssim": 0.6}
    document = {"nominal": agreement, "calibrated": agreement, "validation": ["a"]}
    assert table_6.figures_of(document | {"pseudo_ground_truth_ap": {"persons": 0}}).ap_real is None

"""Table VI from the document of a calibration."""

from __future__ import annotations

import numpy as np
import pytest

from campro.deploy.calibration import Agreement
from campro.deploy.shot_pairs import Pair
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
    paper_run.write_cell(table_6.ENHANCED_KEY, table_6.EnhancedShots(Agreement(9.0, 30.0, 0.9), None))
    rows = table_6.section(PaperCells(paper_run.cells())).rows
    assert [(row.row, row.figure, row.here.value) for row in rows[-3:]] == [
        ("camera, enhanced", "RMSE", 9.0),
        ("camera, enhanced", "PSNR", 30.0),
        ("camera, enhanced", "SSIM", 0.9),
    ]


@pytest.mark.slow
def test_enhanced_shots_are_compared_with_the_default_ones(tmp_path):
    """An enhancer that returns a black picture: its RMSE is the root mean square of the default shot."""
    light = np.random.default_rng(0).integers(0, 256, (192, 192, 3), dtype=np.uint8)
    covered = np.ones((192, 192), bool)
    pair = Pair("one", light, 255 - light, covered)
    found = table_6.enhanced_shots([pair], np.zeros_like, "campro-person")
    assert found.agreement.rmse == pytest.approx(float(np.sqrt((light.astype(float) ** 2).mean())), rel=1e-4)
    assert found.ap is None  # no person in noise


def test_a_calibration_without_persons_has_no_ap():
    agreement = {"rmse": 20.0, "psnr": 22.0, "ssim": 0.6}
    document = {"nominal": agreement, "calibrated": agreement, "validation": ["a"]}
    assert table_6.figures_of(document | {"pseudo_ground_truth_ap": {"persons": 0}}).ap_real is None

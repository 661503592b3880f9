"""Table VII and Fig. 14 from cells written by hand."""

from __future__ import annotations

import numpy as np
import torch

from campro.attacks.sgd_retraining import TrainingHistory
from campro.attacks.training_crops import CropPairs
from campro.metrics.rates import Rate
from campro.paper import table_7
from campro.paper.paper_cells import PaperCells
from campro.paper.scoped_run import ScopedRun
from campro.paper.table_7 import OURS, PAPER, Case, Retrained


def entry(mean: float, converged: bool = True) -> Retrained:
    history = TrainingHistory((2.0, 1.0), (0.1, 0.2, 0.3), converged)
    return Retrained(Rate(mean, mean / 2, mean, 100), history, 90, 6)


def cells(run) -> PaperCells:
    part = ScopedRun(run, {"data": "lfw", "profile": "campro-default"})
    for case, mean in (
        (Case("white", "fine-tuned", "ArcFace", PAPER, "captured"), 0.4),
        (Case("white", "fine-tuned", "ArcFace", PAPER, "control"), 0.9),
        (Case("white", "from scratch", "softmax", OURS, "captured"), 0.1),
    ):
        part.write_cell(case.key, entry(mean, converged=mean > 0.2))
    part.write_cell({"kind": "L1 restoration", "model": "white", "camera": "captured"}, entry(0.6, converged=False))
    return PaperCells(run.cells())


def test_rows_beside_their_controls(paper_run):
    section = table_7.section(cells(paper_run))
    assert [(row.row, row.figure, row.here.value) for row in section.rows] == [
        ("white, fine-tuned, ArcFace", "rank-1, captured only", 40.0),
        ("white, from scratch, softmax", "rank-1, raw and captured", 10.0),
        ("white, restoration by L1, captured (not converged)", "rank-1", 60.0),
    ]
    assert section.tables[0].rows == (
        ("white", PAPER, "fine-tuned", "ArcFace", "40.0 [20.0, 40.0]", "90.0 [45.0, 90.0]", "yes", "0.1", "2", "6, 90"),
        ("white", OURS, "from scratch", "softmax", "10.0 [5.0, 10.0]", "–", "no", "0.1", "2", "6, 90"),
    )


def test_fig_14_has_a_loss_and_an_accuracy_per_protocol(paper_run):
    captions = [figure.caption for figure in table_7.figures(cells(paper_run)).figures]
    assert captions == [
        f"white, {protocol}: {label}" for protocol in (PAPER, OURS) for label in ("training loss", "validation rank-1")
    ]


def test_a_diverged_training_is_a_dash(paper_run):
    part = ScopedRun(paper_run, {"data": "lfw", "profile": "campro-default"})
    history = TrainingHistory((), (0.1,), converged=False)
    part.write_cell(Case("white", "fine-tuned", "softmax", PAPER, "captured").key, Retrained(None, history, 9, 2))
    section = table_7.section(PaperCells(paper_run.cells()))
    assert section.rows[0].here is None
    assert section.tables[0].rows[0][4:9] == ("–", "–", "no", "0.1", "0")


def test_first_people():
    crops = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1).repeat(3, axis=3)
    pairs = CropPairs(crops, crops, torch.tensor([2, 0, 1, 0]))
    assert table_7.first_people(pairs, 2).subjects.tolist() == [0, 1, 0]
    assert table_7.first_people(pairs, None) is pairs

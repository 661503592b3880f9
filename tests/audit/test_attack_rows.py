"""Rows of the attack table, by hand: the best run counts, each training is compared with itself."""

from __future__ import annotations

import pytest
from support.fake_attacks import attack_cells

from campro.audit.attack_rows import attack_rows
from campro.core.run_folder import RunFolder


@pytest.fixture
def rows(tmp_path):
    run = RunFolder.open(tmp_path, {}, inputs={})
    attack_cells(run)
    return {row.attack: row for row in attack_rows(run.cells())}


def test_the_best_run_counts(rows):
    row = rows["distillation"]
    assert (row.best_run, row.rank1.mean, row.control.mean) == ("800 photographs", 0.08, 0.9)
    assert row.failed == ("all",)
    assert row.seconds == 45
    assert row.scaling == ((400, 0.05), (800, 0.08), (1600, 0.06))


def test_the_control_of_a_filter_is_raw_pictures_without_an_attack(rows):
    assert rows["filters"].control.mean == 0.9
    assert rows["analytic inversion"].control.mean == 0.9


def test_verdicts_name_failed_trainings_and_ties(rows):
    assert rows["filters"].verdict == "no training"
    assert rows["distillation"].verdict == "yes; 1 of 3 runs failed"
    assert rows["analytic inversion"].verdict == "50 % are ties"

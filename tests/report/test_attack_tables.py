"""What the attack section says: a failed training is no protection, and scaling is what the last doubling brought."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.fake_attacks import attack_cells, result

from campro.audit.attack_rows import attack_rows
from campro.audit.results import OpenSetPoint
from campro.audit.run_rows import RunResult
from campro.core.run_folder import RunFolder
from campro.metrics.rates import Rate
from campro.report.attack_plots import error_trade_off, training_curves
from campro.report.attack_tables import (
    attack_table,
    linking_table,
    markdown_table,
    protection,
    scaling_note,
    training_table,
)


@pytest.fixture
def rows(tmp_path):
    run = RunFolder.open(tmp_path, {}, inputs={})
    attack_cells(run)
    return {row.attack: row for row in attack_rows(run.cells())}


def with_best(row, **rates):
    run = row.runs[0]
    return replace(row, runs=(RunResult(run.name, result(row.threat_model, **rates), run.origin),))


def test_a_failed_training_is_no_protection(rows):
    row = rows["distillation"]
    assert protection(row) == protection(rows["filters"]) == "yes"
    assert protection(with_best(row, mean=0.06, curve=(0.1,), converged=False)) == "partly"
    assert protection(with_best(row, mean=0.46)) == "no"
    assert protection(replace(rows["filters"], controls=())) == "yes"


def test_scaling_is_what_the_last_doubling_brought(rows):
    row = rows["distillation"]
    assert scaling_note(row).startswith("-2.0 points per doubling at 1600")
    shorter = replace(row, runs=row.runs[:2])
    assert "+3.0 points per doubling at 800 training photographs: still rising" in scaling_note(shorter)
    assert scaling_note(rows["filters"]) == ""


def test_a_training_is_drawn_once(rows):
    again = replace(rows["distillation"], attack="several probe images, distillation")
    titles = [title for title, _ in training_curves([rows["filters"], rows["distillation"], again])]
    assert titles == ["distillation, colour"]


def test_tables_name_every_training_and_its_failure(rows):
    lines = training_table(list(rows.values())).rows
    assert [line[6] for line in lines] == ["yes", "yes", "no: failed"]
    first = attack_table([rows["distillation"]]).rows[0]
    assert first[:4] == ("distillation", "colour", "gray-box", "800 photographs")
    assert first[4].startswith("8.0 [7.0, 9.0]")
    assert attack_table([replace(rows["distillation"], controls=())]).rows[0][5] == "–"


def test_fnir_needs_as_many_searches_as_its_rate(rows):
    point = OpenSetPoint(0.01, Rate(0.5, 0.4, 0.6, 100), 99)
    row = rows["filters"]

    def cells(*points):
        best = replace(row.runs[0], result=replace(row.runs[0].result, open_set=points))
        return linking_table([replace(row, runs=(best,))]).rows[0]

    assert cells(point)[5:] == ("99", "too few: needs 100 searches", "–")
    assert cells(replace(point, non_mated=100))[5:7] == ("100", "50.0 [40.0, 60.0]")
    assert cells(replace(point, fpir=0.1, non_mated=10))[7] == "50.0 [40.0, 60.0]"
    assert cells()[5:] == ("–", "–", "–")


def test_unsupported_rates_are_not_drawn(rows):
    few = tuple(OpenSetPoint(fpir, Rate(0.5, 0.4, 0.6, 100), 20) for fpir in (0.01, 0.03))
    row = rows["filters"]
    best = replace(row.runs[0], result=replace(row.runs[0].result, open_set=few))
    assert error_trade_off([replace(row, runs=(best,))]) is None


def test_the_text_table_has_a_line_per_row(rows):
    text = markdown_table(rows.values())
    line = "| colour | filters | black-box | nothing | invert | 4.0 [3.0, 5.0] | 90.0 [89.0, 91.0] | no training |"
    assert line in text
    assert len(text.splitlines()) == 2 + len(rows)

"""Cells of finished audits are copied with their origin."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from campro.audit import cell_keys
from campro.audit.results import AttackResult, IdentificationResult, PersonDetectionResult
from campro.core.cells import Cell, CellFile
from campro.core.provenance import current_origin
from campro.metrics.rates import Rate
from campro.paper import table_1, table_3, worst_attacks
from campro.paper.paper_cells import PaperCells


def result(mean):
    rate = Rate(mean, 0.0, 1.0, 1680)
    matchers = {"nearest": IdentificationResult(1680, rate, rate, rate, (mean,), ())}
    return AttackResult(matchers, threat_model="black-box", given="photographs")


def test_of_each_attack_the_best_run_is_copied_with_its_control_and_origin(paper_run, tmp_path):
    file = CellFile(tmp_path / "campro-default.jsonl")
    runs = {("no attack", "no attack"): 0.1, ("filters", "a"): 0.2, ("filters", "b"): 0.6}
    for (attack, run), mean in runs.items():
        for camera, rate in (("captured", mean), ("control", 0.9)):
            file.add(cell_keys.attack("white", attack, run, camera, ["nearest"], None), result(rate))
    scores = dict.fromkeys(("ap50", "ap75", "precision", "recall", "f1"), 0.5)
    for view, ap in (("raw", 0.4), ("captured", 0.3)):
        found = PersonDetectionResult(ap=ap, ap_low=ap - 0.1, ap_high=ap + 0.1, **scores)
        file.add(cell_keys.person_detection(view, False), found)
    old = replace(current_origin(), commit="0ld")
    lines = [Cell(cell.key, cell.value, old).to_line() for cell in file.all()]
    file.path.write_text("".join(lines))
    context = SimpleNamespace(config=SimpleNamespace(audits=(file.path,)), run=paper_run)
    worst_attacks.measure(context)
    worst_attacks.measure(context)  # again: nothing is added
    cells = PaperCells(paper_run.cells())
    part = cells.part(data="audited", profile="campro-default")
    assert sorted(cell.key["run"] for cell in part if cell.key["kind"] == "attack") == [
        "b",
        "b",
        "no attack",
        "no attack",
    ]
    assert {cell.origin.commit for cell in part} == {"0ld"}
    assert len((paper_run.path / "cells.jsonl").read_text().splitlines()) == 7
    (row,) = worst_attacks.section(cells).rows
    assert row.here.value == 60.0 and "control 90.0" in row.figure
    (line,) = [line for line in table_1.section(cells).tables[0].rows if line[1] == "captured"]
    assert line == ("white *", "captured", "nearest", "10.0 [0.0, 100.0]", "–")
    (kept,) = table_3.section(cells).rows
    assert kept.row == "audited, captured, as given"
    assert [round(value, 6) for value in (kept.here.value, kept.here.low, kept.here.high)] == [75.0, 50.0, 100.0]

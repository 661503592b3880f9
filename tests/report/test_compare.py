from __future__ import annotations

import shutil

import pytest
from support.fake_attacks import attack_cells

from campro.cli.main import main
from campro.core.errors import CamproError
from campro.report.compare import comparison_table, read_audited
from campro.report.findings import DIRTY


@pytest.fixture
def run(finished_audit):
    run = finished_audit
    attack_cells(run)
    return run


def test_a_row_per_audit_worst_attack_of_each_threat_model(run):
    lines = comparison_table([read_audited(run.path)]).replace(DIRTY, "").splitlines()
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|")
    assert lines[2].split(" | ") == [
        "| toy profile",
        "30.0 [25.0, 35.0]",
        "36.0 [31.0, 41.0]",
        "60",
        "4.0 [3.0, 5.0]",
        "8.0 [7.0, 9.0]",
        "80.0 [79.0, 81.0]",
        "analytic inversion, per pixel, colour",
        "80.0 [79.0, 81.0] |",
    ]


@pytest.mark.slow
def test_the_command_takes_cell_files_and_writes_a_plot(run, tmp_path, capsys):
    (run.path / "cells.jsonl").rename(tmp_path / "copy.jsonl")
    assert main(["compare", str(tmp_path / "copy.jsonl"), "--plot", str(tmp_path / "plot.png")]) == 0
    assert "| toy profile | 30.0" in capsys.readouterr().out
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_an_audit_without_attacks_is_refused(finished_audit, tmp_path):
    run = finished_audit
    with pytest.raises(CamproError, match="attacks first"):
        read_audited(run.path)
    shutil.rmtree(run.path)

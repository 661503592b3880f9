from __future__ import annotations

import base64
import csv
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.experiments import detection_key, run_audit
from campro.audit.thumbnails import colour_chart
from campro.core.errors import CamproError
from campro.report import plots as figures
from campro.report import tables
from campro.report.findings import Findings
from campro.report.write import write_report


@pytest.fixture
def folder(config, bench):
    return run_audit(config, bench).path


def test_page_stands_alone(folder):
    page = write_report(folder).read_text()
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    assert all(source.startswith("data:") for source in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "&lt;script&gt;" in page  # a file name is shown, not run
    for heading in ("Synthetic data", "Who is recognised", "What this does not cover", "Failure to detect"):
        assert heading in page
    assert "is not finished" not in page


def test_page_needs_only_the_run_folder(folder, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "faces")
    assert write_report(moved).stat().st_size > 50_000


def test_json_and_csv_hold_the_cells(folder):
    write_report(folder)
    report = json.loads((folder / "report.json").read_text())
    assert report["headline"]["captured_rank1"]["mean"] == 0.0
    assert len(report["identification"]) == 6
    rows = list(csv.DictReader((folder / "tables/identification.csv").open()))
    assert len(rows) == 6
    assert [row["rank1_mean"] for row in rows if row["view"] == RAW] == ["1.0", "1.0"]
    rows = list(csv.DictReader((folder / "tables/detection.csv").open()))
    kept = {(row["view"], row["adapted"]): float(row["ap_over_best_raw_ap"]) for row in rows}
    assert kept[CAPTURED, "True"] == pytest.approx(0.6)


def test_tables_by_hand(folder):
    found = Findings.read(folder)
    table = tables.identification_table(found)
    assert sum(width for _, width in table.groups) == len(table.header) == len(table.rows[0])
    assert table.rows[0][:5] == ("colour *", "nearest", "100.0 ± 0.0", "100.0", "100.0")
    table = tables.detection_table(found)
    assert table.rows[0] == ("as given", RAW, "50.0 [45.0, 55.0]", *["50.0"] * 5, "83")
    assert table.rows[4] == ("adapted", CAPTURED, "36.0 [31.0, 41.0]", *["36.0"] * 5, "60")
    table = tables.quality_table(found)
    assert table.rows[0] == (CAPTURED, "whole", "10.0", "28.1", "0.900", "0.950", "1")


def test_an_unfinished_audit_says_so(folder, config, bench):
    for view in (RAW, CAPTURED):
        cells = [c for c in (folder / "cells").glob("*.json") if f'"view": "{view}"' in c.read_text()]
        for cell in cells:
            cell.unlink()
    page = write_report(folder).read_text()
    assert "is not finished" in page
    assert "17 figures are missing" in page


def test_an_audit_without_adaptation(config, bench):
    run = run_audit(replace(config, adapt_steps=0), bench)
    run.write_cell(
        {"kind": "meta"}, bench.facts() | {"adapt_steps": 0, "train_scenes": None, "warnings": ["Look out."]}
    )
    page = write_report(run.path).read_text()
    assert "Without adapting" in page
    assert "Look out." in page
    assert run.cell(detection_key(RAW, True)) is None


def test_a_folder_without_an_audit_is_refused(tmp_path):
    with pytest.raises(CamproError, match="no such folder"):
        write_report(tmp_path / "nothing")
    with pytest.raises(CamproError, match="0 cells"):
        write_report(tmp_path)


def test_figures_are_svg_and_deterministic(folder):
    found = Findings.read(folder)
    for draw in (lambda: figures.trade_off(found), lambda: figures.gamma_curves([[0, 1]] * 3)):
        uri = draw()
        assert uri == draw()
        assert base64.b64decode(uri.split(",")[1]).lstrip().startswith(b"<?xml")


def test_colour_chart_has_full_range():
    chart = colour_chart()
    assert chart.shape == (6 * 24, 12 * 24, 3)
    assert {0, 255} <= set(np.unique(chart))

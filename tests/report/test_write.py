from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace

import pytest
from support.fake_attacks import attack_cells
from support.fake_audit import FakeContext, drop_cells

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.audit_run import run_audit
from campro.core.cells import CellFile
from campro.core.errors import CamproError
from campro.report.findings import Findings
from campro.report.write import write_report


@pytest.fixture
def run(audit_config, audit_context):
    return run_audit(audit_config, audit_context)


@pytest.fixture
def folder(run):
    return run.path


def test_the_page_is_self_contained(run):
    attack_cells(run)
    page = write_report(run.path).read_text()
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    assert all(source.startswith("data:") for source in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "&lt;script&gt;" in page  # a file name is shown, not run
    for heading in ("Synthetic data", "Identification by threat model", "Attacks", "Identification without an attack"):
        assert heading in page
    assert "is not finished" not in page


def test_the_page_needs_only_the_run_folder(folder, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    shutil.rmtree(folder)
    shutil.rmtree(tmp_path / "faces")
    assert write_report(moved).stat().st_size > 50_000


def test_json_and_csv_hold_the_cells(run):
    attack_cells(run)
    folder = write_report(run.path).parent
    report = json.loads((folder / "report.json").read_text())
    assert report["headline"]["no_attack"]["mean"] == 0.0
    assert report["headline"]["worst_case"]["rank1"]["mean"] == 0.8
    assert len(report["identification"]) == 6
    rows = list(csv.DictReader((folder / "tables/identification.csv").open()))
    assert len(rows) == 6
    assert [row["rank1_mean"] for row in rows if row["view"] == RAW] == ["1.0", "1.0"]
    rows = list(csv.DictReader((folder / "tables/person_detection.csv").open()))
    kept = {(row["view"], row["adapted"]): float(row["ap_over_best_raw_ap"]) for row in rows}
    assert kept[CAPTURED, "True"] == pytest.approx(0.6)
    rows = list(csv.DictReader((folder / "tables/attacks.csv").open()))
    assert {row["rank1_mean"] for row in rows if row["attack"] == "analytic inversion"} == {"0.8", "0.9"}


def test_an_unfinished_audit_says_so(run):
    dropped = drop_cells(run, lambda key: key.get("view") in (RAW, CAPTURED))
    page = write_report(run.path).read_text()
    assert "is not finished" in page
    assert f"{dropped} figures are missing" in page
    assert dropped == 2 * (2 + 2 + 1 + 1 + 2) + 1  # per view, and quality


def test_an_audit_without_adaptation(audit_config, tmp_path, audit_context):
    config = replace(audit_config, adapt_steps=0)
    run = run_audit(config, FakeContext(config, tmp_path))
    assert "Without adaptation" in write_report(run.path).read_text()
    assert run.cell(cell_keys.person_detection(RAW, True)) is None


def test_cells_of_several_commits_are_listed_and_dirty_ones_marked(run):
    cells = run.cells()
    clean = [replace(cell, origin=replace(cell.origin, commit="abc1234", dirty=False)) for cell in cells]
    key = cell_keys.identification("colour", RAW, "nearest")
    mixed = [replace(c, origin=replace(c.origin, commit="def5678", dirty=True)) if c.key == key else c for c in clean]
    file = run.path / "cells.jsonl"
    file.write_text("".join(cell.to_line() for cell in clean))
    assert "†" not in write_report(run.path).read_text()
    file.write_text("".join(cell.to_line() for cell in mixed))
    page = write_report(run.path).read_text()
    assert "100.0 ± 0.0†" in page
    assert "made by <b>2 different</b> commits" in page
    assert "def5678 with uncommitted changes" in page
    assert page.count("†</td>") == 1
    assert len(CellFile(file).all()) == len(cells)
    assert {origin.commit for origin, _ in Findings.read(run.path).origins.values()} == {"abc1234", "def5678"}


def test_a_folder_without_an_audit_is_refused(tmp_path):
    with pytest.raises(CamproError, match="no such folder"):
        write_report(tmp_path / "nothing")
    with pytest.raises(CamproError, match="0 cells"):
        write_report(tmp_path)

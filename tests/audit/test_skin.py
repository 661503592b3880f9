"""Figures by skin tone: groups by hand, and their way into the report."""

from __future__ import annotations

import csv
import json

import torch

from campro.audit.config import CAPTURED, RAW
from campro.audit.experiments import LEAST_PEOPLE, run_audit, skin_value
from campro.audit.findings import Findings
from campro.audit.report import write_report
from campro.audit.skin_tables import skin_table
from campro.metrics.identification import Identification, Repeated, wilson


def test_groups_by_hand():
    """The first people of thirty are found, and the others are second; six people are too few for a figure."""
    ranks = torch.tensor([1] * 18 + [2] * 12)
    groups = {"light": torch.arange(0, 24), "dark": torch.arange(24, 30)}
    light, dark = skin_value(Repeated((Identification(ranks), Identification(ranks))), groups)
    low, high = wilson(18.0, 24)
    assert light == {"name": "light", "people": 24, "rank1": {"mean": 0.75, "sd": 0.0, "low": low, "high": high}}
    assert dark == {"name": "dark", "people": 6, "rank1": None}
    assert len(groups["dark"]) < LEAST_PEOPLE <= len(groups["light"])


def test_small_groups_have_no_figure(config, bench):
    folder = run_audit(config, bench).path
    assert bench.calls.count("skin") == 1
    page = write_report(folder).read_text()
    assert "<h2>By skin tone</h2>" in page
    table = skin_table(Findings.read(folder))
    assert table.header[2:] == ("light (4 people)", "dark (2 people)")
    assert table.rows == (("colour", RAW, "too few", "too few"), ("colour", CAPTURED, "too few", "too few"))
    assert len(json.loads((folder / "report.json").read_text())["skin_tone"]) == 4
    rows = list(csv.DictReader((folder / "tables/skin_tone.csv").open()))
    assert [tuple(row[name] for name in ("group", "people", "rank1_mean")) for row in rows[:2]] == [
        ("light", "4", ""),
        ("dark", "2", ""),
    ]


def test_large_groups_have_one(config, bench, monkeypatch):
    monkeypatch.setattr("campro.audit.experiments.LEAST_PEOPLE", 3)
    found = Findings.read(run_audit(config, bench).path)
    rows = skin_table(found).rows
    assert rows[0][2:] == ("100.0 [51.0, 100.0]", "too few")  # all four, by Wilson's interval
    assert rows[1][2:] == ("0.0 [0.0, 49.0]", "too few")


def test_lost_cells_are_missed_and_made_again(config, bench):
    run = run_audit(config, bench)
    whole = run.cells()
    lost = [file for file in (run.path / "cells").glob("*.json") if '"skin tone"' in file.read_text()]
    lost[0].unlink()
    assert Findings.read(run.path).missing == 1
    bench.calls.clear()
    assert run_audit(config, bench).cells() == whole
    assert len(bench.calls) == 2  # the groups and one view
    assert bench.calls[0] == "skin"


def test_a_folder_from_before_figures_by_skin_tone(config, bench):
    run = run_audit(config, bench)
    for file in (run.path / "cells").glob("*.json"):
        if '"skin tone"' in file.read_text():
            file.unlink()
    facts = bench.facts()
    del facts["skin_views"]
    run.write_cell({"kind": "meta"}, facts)
    assert Findings.read(run.path).missing == 0
    assert "By skin tone" not in write_report(run.path).read_text()

"""Figures by group: groups by hand, and their way into the report."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import torch

from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.experiments import LEAST_PEOPLE, groups_value, run_audit
from campro.data import FaceSet
from campro.evaluation import call_roll
from campro.evaluation.subject_groups import groups_of
from campro.metrics.identification import Identification, Repeated, wilson
from campro.models.faces import Landmarks
from campro.report.findings import Findings
from campro.report.group_tables import group_table
from campro.report.write import write_report


def test_groups_by_hand():
    """The first people of thirty are found, and the others are second; six people are too few for a figure."""
    ranks = torch.tensor([1] * 18 + [2] * 12)
    groups = {"light": torch.arange(0, 24), "dark": torch.arange(24, 30)}
    light, dark = groups_value(Repeated((Identification(ranks), Identification(ranks))), groups)
    low, high = wilson(18.0, 24)
    assert light == {"name": "light", "people": 24, "rank1": {"mean": 0.75, "sd": 0.0, "low": low, "high": high}}
    assert dark == {"name": "dark", "people": 6, "rank1": None}
    assert len(groups["dark"]) < LEAST_PEOPLE <= len(groups["light"])


def test_small_groups_have_no_figure(config, bench):
    folder = run_audit(config, bench).path
    assert bench.calls.count("groups") == 1
    page = write_report(folder).read_text()
    assert "<h2>By group</h2>" in page
    table = group_table(Findings.read(folder))
    assert table.header[2:] == ("light (4 people)", "dark (2 people)")
    assert table.rows == (("colour", RAW, "too few", "too few"), ("colour", CAPTURED, "too few", "too few"))
    assert len(json.loads((folder / "report.json").read_text())["groups"]) == 4
    rows = list(csv.DictReader((folder / "tables/groups.csv").open()))
    assert [tuple(row[name] for name in ("group", "people", "rank1_mean")) for row in rows[:2]] == [
        ("light", "4", ""),
        ("dark", "2", ""),
    ]


def test_large_groups_have_one(config, bench, monkeypatch):
    monkeypatch.setattr("campro.audit.experiments.LEAST_PEOPLE", 3)
    found = Findings.read(run_audit(config, bench).path)
    rows = group_table(found).rows
    assert rows[0][2:] == ("100.0 [51.0, 100.0]", "too few")  # all four, by Wilson's interval
    assert rows[1][2:] == ("0.0 [0.0, 49.0]", "too few")


def test_lost_cells_are_missed_and_made_again(config, bench):
    run = run_audit(config, bench)
    whole = run.cells()
    lost = [file for file in (run.path / "cells").glob("*.json") if '"group"' in file.read_text()]
    lost[0].unlink()
    assert Findings.read(run.path).missing == 1
    bench.calls.clear()
    assert run_audit(config, bench).cells() == whole
    assert len(bench.calls) == 2  # the groups and one view
    assert bench.calls[0] == "groups"


def test_a_folder_from_before_figures_by_group(config, bench):
    run = run_audit(config, bench)
    for file in (run.path / "cells").glob("*.json"):
        if '"group"' in file.read_text():
            file.unlink()
    facts = bench.facts()
    del facts["group_views"]
    run.write_cell({"kind": "meta"}, facts)
    assert Findings.read(run.path).missing == 0
    assert "By group" not in write_report(run.path).read_text()


def test_labels_come_before_skin(tmp_path):
    """Numbers are those of the roll: of people with two photographs, by name; nobody's skin is looked at."""
    (tmp_path / "groups.csv").write_text("person,group\ncid,men\nann,women\nbob,men\n")
    people = {
        name: tuple(Path(f"{name}{i}.png") for i in range(count))
        for name, count in (("ann", 2), ("bob", 1), ("cid", 2))
    }
    roll = call_roll(FaceSet("few", tmp_path, people))
    found = groups_of(roll, Landmarks("five", "none", {}))
    assert {group: who.tolist() for group, who in found.items()} == {"men": [1], "women": [0]}

"""Rates by group, from cells to the page."""

from __future__ import annotations

import csv
import json

import pytest
from support.fake_audit import drop_cells

from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.audit_run import run_audit
from campro.report.findings import DIRTY, Findings
from campro.report.group_tables import group_table
from campro.report.write import write_report


def plain(rows):
    return tuple(tuple(text.replace(DIRTY, "") for text in row) for row in rows)


@pytest.mark.slow
def test_small_groups_have_no_rate(finished_audit):
    folder = finished_audit.path
    page = write_report(folder).read_text()
    assert '<h2 id="groups">Identification by group, without an attack ' in page
    table = group_table(Findings.read(folder))
    assert table.header[2:] == ("light (4 people)", "dark (2 people)")
    assert plain(table.rows) == (("colour", RAW, "too few", "too few"), ("colour", CAPTURED, "too few", "too few"))
    assert len(json.loads((folder / "report.json").read_text())["groups"]) == 4
    rows = list(csv.DictReader((folder / "tables/groups.csv").open()))
    assert [tuple(row[name] for name in ("group", "people", "rank1_mean")) for row in rows[:2]] == [
        ("light", "4", ""),
        ("dark", "2", ""),
    ]


def test_large_groups_have_one(audit_config, audit_context, monkeypatch):
    monkeypatch.setattr("campro.audit.results.MIN_GROUP", 3)
    found = Findings.read(run_audit(audit_config, audit_context).path)
    rows = plain(group_table(found).rows)
    assert rows[0][2:] == ("100.0 [51.0, 100.0]", "too few")  # all four, by Wilson's interval
    assert rows[1][2:] == ("0.0 [0.0, 49.0]", "too few")


def test_lost_cells_are_missed_and_made_again(audit_config, audit_context):
    run = run_audit(audit_config, audit_context)
    wanted = {"kind": "identification by group", "view": RAW}
    assert drop_cells(run, lambda key: wanted.items() <= key.items()) == 1
    assert Findings.read(run.path).missing == 1
    audit_context.calls.clear()
    run_audit(audit_config, audit_context)
    assert audit_context.calls == ["embed raw", "groups"]
    assert Findings.read(run.path).missing == 0

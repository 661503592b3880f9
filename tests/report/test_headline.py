"""The headline: the worst case first, and no percentage where no attack ran."""

from __future__ import annotations

import re

import pytest
from support.fake_attacks import attack_cells

from campro.audit.audit_run import run_audit
from campro.report.findings import Findings
from campro.report.headline import headline
from campro.report.write import write_report


@pytest.mark.slow
def test_without_attacks_there_is_no_worst_case(finished_audit):
    run = finished_audit
    head = headline(Findings.read(run.path))
    assert head.worst_case is None and head.threat_models == ()
    assert head.no_attack.mean == 0.0
    assert head.no_attack.high > 0.2  # none of six: that proves little, and the interval says so
    assert head.ap_kept == pytest.approx(0.36 / 0.6)
    assert head.chance_rank1 == pytest.approx(1 / 6)
    first_card = re.search(r'<div class="card">(.*?)</div>', write_report(run.path).read_text(), re.S).group(1)
    assert "<b>not attacked yet</b>" in first_card
    assert "%" not in first_card


@pytest.mark.slow
def test_the_worst_attack_is_the_first_figure(finished_audit):
    run = finished_audit
    attack_cells(run)
    head = headline(Findings.read(run.path))
    assert (head.worst_case.attack, head.worst_case.run) == ("analytic inversion", "per pixel")
    assert head.worst_case.rank1.mean == 0.8
    assert [(case.threat_model, case.rank1.mean) for case in head.threat_models] == [
        ("none", 0.0),
        ("black-box", 0.04),
        ("gray-box", 0.08),
        ("white-box", 0.8),
    ]
    assert (head.attacks, head.runs) == (3, 5)
    first_card = re.search(r'<div class="card">(.*?)</div>', write_report(run.path).read_text(), re.S).group(1)
    assert "80.0 %" in first_card and "analytic inversion: per pixel" in first_card and "white-box" in first_card


@pytest.mark.slow
def test_more_than_the_raw_ap_is_no_measurable_loss(audit_config, audit_context, monkeypatch):
    monkeypatch.setitem(__import__("support.fake_audit").fake_audit.AP, "captured", 0.55)
    run = run_audit(audit_config, audit_context)
    page = write_report(run.path).read_text()
    assert "<b>no measurable loss " in page
    assert "AP 66.0 [61.0, 71.0] %" in page

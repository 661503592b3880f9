from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from campro.audit.audit_config import CAPTURED, RAW, AuditConfig
from campro.audit.experiments import run_audit
from campro.core.errors import CamproError
from campro.report.findings import Findings


def test_known_outcome(config, bench):
    found = Findings.read(run_audit(config, bench).path)
    for matcher in config.matchers:
        assert found.identification("colour", RAW, matcher)["rank1"]["mean"] == 1.0
        # Rotating the channels makes every pure hue another person's, and inverting makes it the complement's.
        assert found.identification("colour", CAPTURED, matcher)["rank1"]["mean"] == 0.0
        assert found.identification("colour", "invert", matcher)["rank1"]["mean"] == 0.0
    cell = found.identification("colour", RAW, "nearest")
    assert (cell["people"], [r["hits"] for r in cell["repeats"]], cell["cmc"][:2]) == (6, [6, 6, 6], [1.0, 1.0])
    assert found.missing == 0


def test_headline_takes_the_strongest_attacker_and_the_best_raw_detector(config, bench):
    found = Findings.read(run_audit(config, bench).path)
    head = found.headline()
    assert head["captured_rank1"]["mean"] == 0.0
    assert head["captured_rank1"]["high"] > 0.2  # nobody of six: that proves little, and the interval says so
    assert head["ap_kept"] == pytest.approx(0.36 / 0.6)
    assert found.kept(CAPTURED, False) == pytest.approx(0.3 / 0.6)
    assert head["chance_rank1"] == pytest.approx(1 / 6)


def test_finished_cells_are_not_computed_again(config, bench):
    run = run_audit(config, bench)
    cells = run.cells()
    # matchers, face detectors, models and adapted or not, each x views; groups; looks of all but raw, the sheet's views
    assert len(bench.calls) == 3 * 2 + 3 * 2 + 3 + 3 * 2 + (1 + 2) + 2 + 3
    bench.calls.clear()
    assert run_audit(config, bench).cells() == cells
    assert bench.calls == []


def test_a_killed_audit_goes_on_where_it_was(config, bench):
    whole = run_audit(config, bench).cells()
    lost = next(file for file in (config.out / "cells").glob("*.json") if '"view": "invert"' in file.read_text())
    lost.unlink()
    bench.calls.clear()
    assert run_audit(config, bench).cells() == whole
    assert len(bench.calls) == 1
    assert "invert" in bench.calls[0]


def test_another_configuration_is_refused(config, bench):
    run_audit(config, bench)
    with pytest.raises(CamproError, match="repeats"):
        run_audit(replace(config, repeats=4), bench)


@pytest.mark.parametrize(
    "options",
    [
        {"repeats": 0},
        {"adapt_steps": -1},
        {"face_models": ()},
        {"faces": Path("x")},
        {"faces": Path("x"), "scenes": Path("y")},
    ],
)
def test_nonsense_is_refused(options):
    with pytest.raises(CamproError, match="audit"):
        AuditConfig(**options)

"""Points of the trade-off from cells written by hand."""

from __future__ import annotations

import pytest

from campro.audit import cell_keys
from campro.audit.results import AttackResult, IdentificationResult, PersonDetectionResult
from campro.metrics.rates import Rate, Ratio
from campro.paper import fig_11
from campro.paper.paper_cells import PaperCells
from campro.paper.scoped_run import ScopedRun
from campro.paper.worst_attacks import AUDITED


@pytest.fixture
def cells(paper_run):
    part = ScopedRun(paper_run, {"data": "lfw", "profile": "campro-default"})
    for view, rank1, kept in (("raw", 0.9, None), ("captured", 0.1, 0.5), ("defocus-9-3", 0.6, 0.8)):
        for model, factor in (("white", 1.0), ("other", 0.5)):
            rate = Rate(factor * rank1, 0.0, 1.0, 100)
            result = IdentificationResult(100, rate, rate, rate, (rank1,), ())
            part.write_cell(cell_keys.identification(model, view, "nearest"), result)
        for adapted, ap in ((False, 0.2), (True, 0.1)):
            ratio = None if kept is None else Ratio(kept * ap / 0.2, 0.0, 1.0)
            found = PersonDetectionResult(ap, ap, ap, ap, ap, ap, ap, ap, kept=ratio)
            part.write_cell(cell_keys.person_detection(view, adapted), found)
    rate = Rate(0.8, 0.7, 0.9, 100)
    matchers = {"nearest": IdentificationResult(100, rate, rate, rate, (0.8,), ())}
    key = cell_keys.attack("white", "inversion", "one", "captured", ["nearest"], None)
    part.write_cell(key, AttackResult(matchers, threat_model="white-box", given="the profile"))
    return PaperCells(paper_run.cells())


def test_points_have_the_best_recogniser_and_the_better_detector(cells):
    found = {one.name: (one.rank1.mean, one.kept.mean) for one in fig_11.unattacked(cells)}
    assert found == {"campro-default": (0.1, 0.5), "defocus-9-3": (0.6, pytest.approx(0.8))}


def test_a_finished_audit_does_not_replace_what_was_measured_with_the_rivals(cells, paper_run):
    audited = ScopedRun(paper_run, {"data": AUDITED, "profile": "campro-default"})
    rate, kept = Rate(0.01, 0.0, 1.0, 100), Ratio(0.95, 0.0, 1.0)
    result = IdentificationResult(100, rate, rate, rate, (0.01,), ())
    audited.write_cell(cell_keys.identification("white", "captured", "nearest"), result)
    for view in ("raw", "captured"):
        detection = PersonDetectionResult(0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, kept=kept)
        audited.write_cell(cell_keys.person_detection(view, True), detection)
    point = fig_11.unattacked(PaperCells(paper_run.cells()))[0]
    assert (point.name, point.rank1.mean, point.kept.mean) == ("campro-default", 0.1, 0.5)


def test_the_second_panel_has_the_worst_attack(cells, paper_run):
    (point,) = fig_11.attacked(cells)
    assert (point.name, point.rank1.mean, point.kept.mean) == ("campro-default", 0.8, 0.5)
    strongest = Rate(0.9, 0.8, 0.95, 100)
    result = IdentificationResult(100, strongest, strongest, strongest, (0.9,), ())
    part = ScopedRun(paper_run, {"data": "lfw", "profile": "campro-default"})
    part.write_cell(cell_keys.identification("strongest", "captured", "nearest"), result)
    assert fig_11.attacked(PaperCells(paper_run.cells()))[0].rank1.mean == 0.9  # without an attack
    section = fig_11.section(cells)
    assert section.figures[0].uri.startswith("data:image/svg+xml")
    assert "defocus-9-3" in section.notes[0]
    assert [row.row for row in section.rows] == ["campro-default"] * 2 + ["defocus-9-3"] * 2 + ["campro-default"] * 2

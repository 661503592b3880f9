"""Verdicts of the claims from cells written by hand."""

from __future__ import annotations

import pytest

from campro.audit import cell_keys
from campro.audit.results import AttackResult, IdentificationResult, PersonDetectionResult, QualityResult
from campro.metrics.rates import Rate, Ratio
from campro.paper import claims
from campro.paper.paper_cells import PaperCells
from campro.paper.scoped_run import ScopedRun


@pytest.fixture
def part(paper_run):
    return ScopedRun(paper_run, {"data": "lfw", "profile": "campro-default"})


def identify(part, model, view, mean, high):
    rate = Rate(mean, 0.0, high, 100)
    key = cell_keys.identification(model, view, "nearest")
    part.write_cell(key, IdentificationResult(100, rate, rate, rate, (mean,), ()))


def attack(part, name, threat, mean):
    rate = Rate(mean, mean, mean, 100)
    matchers = {"nearest": IdentificationResult(100, rate, rate, rate, (mean,), ())}
    key = cell_keys.attack("white", name, name, "captured", ["nearest"], None)
    part.write_cell(key, AttackResult(matchers, threat_model=threat, given="the profile"))


def verdict(part, judge):
    return judge(PaperCells(part.whole.cells())).verdict


def test_nothing_is_judged_without_cells(part):
    assert {verdict(part, judge) for judge in claims.CLAIMS.values()} == {claims.UNMEASURED}
    section = claims.section(PaperCells(part.whole.cells()))
    assert section.tables[0].rows == () and len(section.notes) == 5


@pytest.mark.parametrize(
    ("mean", "high", "expected"),
    [(0.0, 0.05, claims.HOLDS), (0.05, 0.12, claims.CAVEAT), (0.5, 0.6, claims.FAILS)],
)
def test_attackers_who_do_not_know_the_camera(part, mean, high, expected):
    """A tenth of the raw rate, 0.1, is the limit for the upper end of the interval."""
    for model in ("white", "other"):
        identify(part, model, "raw", 1.0, 1.0)
        identify(part, model, "captured", mean, high)
    assert verdict(part, claims.unknown_attackers) == expected
    assert verdict(part, claims.unseen_recognisers) == expected


@pytest.mark.parametrize(
    ("captured", "rival", "expected"),
    [(0.8, 0.9, claims.HOLDS), (0.5, 0.4, claims.CAVEAT), (0.5, 0.6, claims.FAILS)],
)
def test_person_detection_is_compared_with_the_paper_and_the_rivals(part, captured, rival, expected):
    """The paper's profile keeps 82 %; intervals here are 4 points wide."""
    for view, kept in (("captured", captured), ("low-resolution-16", rival)):
        ratio = Ratio(kept, kept - 0.02, kept + 0.02)
        result = PersonDetectionResult(kept / 2, 0.5, 0.5, 0.5, 0.5, 0.5, 0.1, 0.5, kept=ratio)
        part.write_cell(cell_keys.person_detection(view, False), result)
    raw = PersonDetectionResult(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.4, 0.6)
    part.write_cell(cell_keys.person_detection("raw", False), raw)
    assert verdict(part, claims.person_detection) == expected


@pytest.mark.parametrize(("psnr", "expected"), [(21.5, claims.CAVEAT), (21.4, claims.FAILS)])
def test_the_file_of_the_enhancer_is_always_a_caveat(part, psnr, expected):
    found = {"outside faces": QualityResult(10.0, psnr, 0.8, 0.8, 5)}
    part.write_cell(cell_keys.image_quality("enhanced"), found)
    judged = claims.enhanced_pictures(PaperCells(part.whole.cells()))
    assert judged.verdict == expected and "holds the inverse" in judged.numbers


@pytest.mark.parametrize(
    ("threat", "mean", "expected"), [("white-box", 0.9, claims.FAILS), ("gray-box", 0.0, claims.HOLDS)]
)
def test_informed_attackers(part, threat, mean, expected):
    attack(part, "analytic inversion", threat, mean)
    attack(part, "no attack", "none", 0.95)
    assert verdict(part, claims.white_box) == expected

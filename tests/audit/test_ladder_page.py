"""What a ladder's rows say, by hand: the best run counts, a failed training is never protection."""

from __future__ import annotations

import pytest

from campro.attacks.attack_base import Attack
from campro.attacks.filters import NO_ATTACK
from campro.audit.suite_config import SuiteConfig
from campro.audit.suite_context import CAPTURED, CONTROL
from campro.audit.suite_rows import cell_key, scaling_points, suite_rows, table, verdict
from campro.core.run_folder import RunFolder
from campro.report.attack_page import outlook, protection, render_attacks
from campro.report.attack_plots import courses

STAMP = {"commit": "abc", "processor": "one", "platform": "two"}
CONFIG = SuiteConfig(face_models=("tiny",))
TRAINED = Attack("taught", "gray-box", "faces", lambda knowledge, cache: {}, trained=True)
FILTERED = Attack("looked", "black-box", "nothing", lambda knowledge, cache: {})


def cell(mean, learned_from=None, curve=None, converged=None, tied=0.0):
    rank1 = {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}
    linkability = {"mean": mean, "low": mean, "high": mean}
    course = {"learned_from": learned_from, "curve": curve, "converged": converged}
    figures = {"matchers": {"nearest": {"rank1": rank1}}, "tied": tied, "linkability": linkability}
    return figures | course | {"fit_s": 10.0, "judge_s": 5.0}


@pytest.fixture
def rows(tmp_path):
    """One attack that needs no training, and one of three trainings, the largest of which failed."""
    folder = RunFolder.open(tmp_path, {}, inputs={})
    found = {
        (FILTERED, CAPTURED, "negative"): cell(0.04),
        (FILTERED, CONTROL, "negative"): cell(0.01),
        (NO_ATTACK, CONTROL, "no attack"): cell(0.9),
        (TRAINED, CAPTURED, "400"): cell(0.05, 400, [0.1, 0.2, 0.2], True),
        (TRAINED, CAPTURED, "800"): cell(0.08, 800, [0.1, 0.3, 0.3], True),
        (TRAINED, CAPTURED, "all"): cell(0.06, 1600, [0.1, 0.1, 0.1], False),
        (TRAINED, CONTROL, "800"): cell(0.9, 800, [0.9], True),
    }
    for (attack, side, run), value in found.items():
        folder.write_cell(cell_key(CONFIG, "tiny", attack, side, run), value)
    return {row["attack"]: row for row in suite_rows(folder, (FILTERED, TRAINED), CONFIG)}


def test_the_best_run_counts(rows):
    assert rows["taught"]["best"]["run"] == "800"
    assert rows["taught"]["control"]["mean"] == 0.9
    assert rows["taught"]["failed"] == ["all"]
    assert rows["taught"]["seconds"] == 45
    assert scaling_points(rows["taught"]) == [(400, 0.05), (800, 0.08), (1600, 0.06)]


def test_nobody_filters_what_is_recognised_anyway(rows):
    assert rows["looked"]["control"]["run"] == "no attack"
    assert rows["looked"]["control"]["mean"] == 0.9


def test_the_outlook_is_what_the_last_doubling_brought(rows):
    assert outlook(rows["taught"]).startswith("-2.0 points per doubling at 1600")
    del rows["taught"]["runs"]["all"]
    assert "+3.0 points per doubling at 800 photographs: still rising" in outlook(rows["taught"])
    assert outlook(rows["looked"]) == ""


def test_a_training_is_drawn_once(rows):
    fused = rows["taught"] | {"attack": "several probe images, taught"}
    assert [title for title, _ in courses([rows["looked"], rows["taught"], fused])] == ["taught, tiny"]


def test_a_row_without_control_says_nothing_of_it(rows):
    page = render_attacks([rows["looked"] | {"control": None}], "some-profile", 90, STAMP)
    assert "ithout the profile" not in " ".join(page.split()).replace("recognises without the profile", "")


def test_a_failed_training_is_no_protection(rows):
    assert protection(rows["looked"]) == protection(rows["taught"]) == "much"
    failed = rows["taught"] | {"best": rows["taught"]["best"] | {"converged": False}}
    assert protection(failed) == "some"
    assert protection(failed | {"best": failed["best"] | {"mean": 0.46}}) == "none"
    assert verdict(failed) == "no: a lower bound; 1 of 3 runs failed"
    assert verdict(rows["looked"] | {"best": rows["looked"]["best"] | {"tied": 0.5}}) == "50 % are ties"


def test_the_page_names_every_training_and_the_worst_row(rows):
    page = render_attacks(list(rows.values()), "some-profile", 90, STAMP)
    assert "What some-profile protects against, and what it does not" in page
    assert "<b>8.0 [7.0, 9.0] %</b>" in page
    assert page.count("no: failed") == 1
    assert '<td class="text">all</td><td>1600</td>' in page
    assert "It does not protect against" in page
    assert (
        "| tiny | looked | black-box | nothing | negative | 4.0 [3.0, 5.0] | 90.0 [89.0, 91.0] | nothing to train |"
        in table(list(rows.values()))
    )

"""The ladder on the embedded sample: harness and threat models, not figures about real people."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from campro.audit import attack_suite as ladder
from campro.audit.judge import Frame, Sight, fused, linkability, open_set, verification
from campro.audit.suite_config import SuiteConfig
from campro.cli.main import main
from campro.data.verification_pairs import VerificationPairs
from campro.evaluation import Draw
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise


def rows(out, capsys, *words):
    assert main(["attack", "--out", str(out), "--repeats", "2", "--json", *words]) == 0
    return {row["attack"]: row for row in json.loads(capsys.readouterr().out)}


BLACK = IspProfile("black", (Degamma(), Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), GammaLut(((0.0, 0.0),)), Quantise(8)))


@pytest.mark.slow
def test_a_sound_ladder(tmp_path, capsys):
    """No profile protects nobody, an invertible one nobody from one who knows it, a constant picture everybody."""
    words = ["--attacks", "no attack", "re-enrolment", "analytic inversion"]
    plain = rows(tmp_path / "c", capsys, *words[:2], "--profile", "identity")["no attack"]
    assert plain["best"] == plain["control"]
    inverted = rows(tmp_path / "a", capsys, *words, "--profile", "invert")
    assert inverted["no attack"]["best"]["mean"] < 0.3
    assert inverted["analytic inversion"]["best"]["mean"] == pytest.approx(inverted["no attack"]["control"]["mean"])
    BLACK.save(tmp_path / "black.json")
    constant = rows(tmp_path / "b", capsys, *words, "--profile", str(tmp_path / "black.json"))
    assert constant["analytic inversion"]["best"]["mean"] < 0.03  # chance is one in a hundred
    same = constant["re-enrolment"]["best"]
    assert same["mean"] - same["tied"] < 0.03  # all pictures are one, and ties go to the attacker: it is said


def test_linkability_against_its_definition():
    """Two people, three photographs each: far apart all is linkable; all alike nothing is."""
    owner = torch.tensor([0, 0, 0, 1, 1, 1])
    apart = torch.eye(2)[owner]
    assert linkability(apart, apart, owner)["mean"] == 1.0
    alike = torch.ones(6, 2) / 2**0.5
    found = linkability(alike, alike, owner)
    assert found["mean"] == 0.0
    assert found["low"] <= found["mean"] <= found["high"]


def test_verification_by_hand():
    """Two folds of two pairs; at no false accept one of the two pairs of one person is above both others."""
    gallery = torch.eye(2)[torch.tensor([0, 0, 0, 0])]
    cosines = torch.tensor([0.9, 0.5, 0.3, 0.6])
    sight = Sight(gallery, torch.stack([cosines, (1 - cosines**2).sqrt()], 1))
    photos = tuple(Path(f"{i}") for i in range(4))
    pairs = VerificationPairs(
        photos, photos, torch.tensor([True, False, True, False]), torch.tensor([0, 0, 1, 1]), missing=5
    )
    found = verification(sight, photos, pairs)
    assert found["0.001"]["tar"] == 0.5
    assert found["0.001"]["low"] <= 0.5 <= found["0.001"]["high"]
    # fold 0 at 0.3 or 0.6's best threshold 0.6+, fold 1 at 0.9: right are 0.9, 0.5, and 0.6
    assert found["balanced_accuracy"] == pytest.approx((1 + 0.5) / 2, abs=0.5)
    assert found["missing_pairs"] == 5


def test_frames_differ_little_and_repeat():
    rgb = cv2.resize(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8), (64, 64))
    one, again, other = Frame(1)(rgb), Frame(1)(rgb), Frame(2)(rgb)
    np.testing.assert_array_equal(one, again)
    assert 0 < np.abs(one.astype(int) - other).mean() < 25


def test_fusion_takes_other_pictures_of_the_same_person():
    """Rows are one-hot: whose they are, and how many were averaged, can be read off."""
    owner = torch.tensor([0, 0, 0, 0, 1, 1])
    draw = Draw(torch.tensor([0, 4]), torch.tensor([1, 5]), seed=0)
    found = fused(torch.eye(6), owner, draw.query, draw.gallery, 3, draw.seed)
    np.testing.assert_allclose(found[1], [0, 1 / 3, 1 / 3, 1 / 3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[5], [0, 0, 0, 0, 0, 1])  # of the second person there is no third picture
    half = fused(torch.eye(6), owner, draw.query, draw.gallery, 2, draw.seed)[1]
    assert sorted(half.tolist()) == [0, 0, 0, 0, 0.5, 0.5]
    assert half[1] == 0.5
    known = fused(torch.eye(6), owner, draw.gallery, draw.query, 20, draw.seed)  # a gallery of all but the query
    np.testing.assert_allclose(known[0], [1 / 3, 0, 1 / 3, 1 / 3, 0, 0], atol=1e-6)


def test_open_set_figures_by_hand():
    """Two people, one of whom looks like a stranger: at no false alarm only the other is found."""
    gallery = torch.eye(3)[:2]
    rows = torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0.1], [0, 1, 0.9]]))
    strangers = torch.nn.functional.normalize(torch.tensor([[0, 1, 0.5], [0, 0.1, 1]]))
    owner, draw = torch.tensor([0, 1]), Draw(torch.tensor([0, 1]), torch.tensor([0, 1]), 0)
    found = open_set(gallery, rows, strangers, owner, [draw])
    assert {rate: found[rate]["fnir"] for rate in ("0.003", "0.01", "0.1")} == {"0.003": 0.5, "0.01": 0.5, "0.1": 0.5}
    assert found["0.1"]["low"] < 0.5 < found["0.1"]["high"]


def test_bad_input(tmp_path, capsys):
    assert main(["attack", "--out", str(tmp_path), "--attacks", "hope"]) == 1
    assert "one of no attack" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["attack", "--faces"])


def test_runs_of_a_larger_budget_count_and_are_not_repeated(tmp_path, monkeypatch):
    first, measured = "polynomial, 1 image pair", []

    def measure(config, task):
        measured.append(task)
        rate = {"mean": 0.9 if task.run == first else 0.1, "low": 0.0, "high": 1.0}
        found = {"matchers": {"nearest": {"rank1": rate}}, "learned_from": None, "curve": None, "converged": None}
        return found | {"fit_s": 0.0, "judge_s": 0.0}

    monkeypatch.setattr(ladder, "measure", measure)
    monkeypatch.setattr(ladder, "render_attacks", lambda *args: "")
    config = SuiteConfig(attacks=("colour maps",), out=tmp_path / "run")
    ladder.run_suite(config)
    control = next(file for file in (tmp_path / "run" / "cells").iterdir() if '"control"' in file.read_text())
    control.unlink()
    measured.clear()
    (row,) = ladder.run_suite(replace(config, budget="quick"))
    assert row["best"]["run"] == first
    assert not measured

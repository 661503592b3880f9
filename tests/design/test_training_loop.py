"""An interrupted run ends with the same profile and the same log as one without interruption."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from support.tiny_recogniser import TinyRecogniser

from campro.core.progress import Progress
from campro.design import designer
from campro.design.attackers import ATTACKERS
from campro.isp import load_profile

from .conftest import PLAIN_ADVANCE, RECIPE, config


def seeded(make):
    """A network with the same random weights every time."""
    torch.manual_seed(0)
    return make()


pytestmark = pytest.mark.usefixtures("small_design")


@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_same_profile(finished, tmp_path, monkeypatch, interrupt_at):
    interrupt_at(4)
    with pytest.raises(KeyboardInterrupt):
        designer.design(config(tmp_path / "run"))
    monkeypatch.setattr(Progress, "advance", PLAIN_ADVANCE)
    again = designer.design(config(tmp_path / "run"))
    assert load_profile(again).digest == load_profile(finished).digest
    assert (tmp_path / "run/metrics.jsonl").read_text() == (finished.parent / "metrics.jsonl").read_text()


@pytest.mark.slow
def test_all_attackers_with_resets_interrupted_end_the_same(tmp_path, monkeypatch, interrupt_at):
    """All attackers at once, one of them reset every round, interrupted in the second of three rounds.

    Seven copies of the recogniser are trained, therefore a small one.
    """
    monkeypatch.setattr(designer, "load_embedder", lambda name, **options: seeded(TinyRecogniser))
    monkeypatch.setattr(designer, "recipe_of", lambda config: replace(RECIPE, max_warmup=1, max_rounds=2))
    options = {"attackers": tuple(ATTACKERS), "reset_every": 1, "isp": ("offsets", "bits=5")}
    whole = designer.design(config(tmp_path / "whole", **options))
    logged = json.loads((tmp_path / "whole/metrics.jsonl").read_text().splitlines()[-1])
    assert {f"attacker {name}" for name in ATTACKERS} <= set(logged)
    interrupt_at(2)
    with pytest.raises(KeyboardInterrupt):
        designer.design(config(tmp_path / "run", **options))
    monkeypatch.setattr(Progress, "advance", PLAIN_ADVANCE)
    again = designer.design(config(tmp_path / "run", **options))
    assert load_profile(again).digest == load_profile(whole).digest
    assert load_profile(again).blocks[-1].bits == 5


@pytest.mark.slow
def test_protector_only_trains_no_attacker_after_warm_up(finished, tmp_path):
    profile = designer.design(config(tmp_path / "run", protector_only=True))
    assert load_profile(profile).digest != load_profile(finished).digest
    rounds = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    has_attacker = [any(key.startswith("attacker") for key in one) for one in rounds]
    assert has_attacker == [one["phase"] == 0 for one in rounds]

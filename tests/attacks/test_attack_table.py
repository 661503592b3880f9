"""Every attack of the table, by the same contract."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from campro.attacks.attack_base import ThreatModel
from campro.attacks.attack_options import ATTACK_OPTIONS, option_name
from campro.attacks.attack_table import ATTACKS, chosen_attacks, find_attack
from campro.attacks.budget import STANDARD
from campro.core.errors import CamproError
from campro.data import FaceSet
from campro.isp import Camera, load_profile


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_attacks_of_the_table(attack, trainable, cache, photo):
    """Each lists named runs from its knowledge, without computing anything yet."""
    assert attack.threat_model in get_args(ThreatModel)
    profile = load_profile("campro-default")
    everything = replace(
        trainable, photos=(photo,), cameras=(Camera(profile),), profiles=(profile,), others=(trainable.embedder,)
    )
    runs = attack.runs(everything, cache)
    assert len(runs) >= (attack.name != "pretrained restoration")
    assert all(callable(make) for make in runs.values())
    assert len(cache) == 0


def test_the_off_the_shelf_recogniser_is_no_attack(trainable, cache):
    assert [name for name, attack in ATTACKS.items() if attack.threat_model == "none"] == ["no attack"]
    assert list(find_attack("no attack").runs(trainable, cache)) == ["no attack"]


def test_unknown_names_are_refused():
    with pytest.raises(CamproError, match="one of no-attack, filters"):
        find_attack("hope")


@pytest.mark.parametrize("name", ["distillation", "restoration", "retraining"])
def test_trained_attacks_have_a_scaling_curve(name, trainable, cache, tmp_path):
    """Where the budget has one, below the number of photographs."""
    faces = FaceSet("many", tmp_path, {"ann": tuple(tmp_path / f"{number}.png" for number in range(1601))})
    for budget, sizes in ((STANDARD, ["400", "1600"]), (trainable.budget, [])):
        runs = find_attack(name).runs(replace(trainable, faces=faces, budget=budget), cache)
        assert [found[1] for run in runs if (found := re.search(r"(\d+) photographs", run))] == sizes


def test_options_are_the_names_with_hyphens():
    """No shell needs quotes; both spellings are accepted, since reports and cells show the name with spaces."""
    assert [option_name(name) for name in ATTACKS] == list(ATTACK_OPTIONS)
    assert not re.search(r"[^a-z-]", "".join(ATTACK_OPTIONS))
    for name, attack in ATTACKS.items():
        assert find_attack(option_name(name)) is find_attack(name) is attack
    assert {attack.name for attack in chosen_attacks(["colour-maps", "no attack"])} == {"no attack", "colour maps"}

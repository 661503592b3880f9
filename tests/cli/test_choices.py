"""Wrong names are refused before data are read; the names are those of the tables."""

from __future__ import annotations

import pytest

from campro.attacks.attack_options import ATTACK_OPTIONS
from campro.cli import attack, audit, choices
from campro.cli.choices import check_choices
from campro.cli.help_page import help_page
from campro.cli.main import main
from campro.design.attackers import ATTACKERS
from campro.evaluation.matchers import MATCHERS
from campro.models.faces import FACE_DETECTORS, FACE_EMBEDDERS
from campro.models.model_table import MODELS
from campro.models.persons import PERSON_DETECTORS


def test_names_are_those_of_the_tables():
    assert {name.partition("/")[0] for name in MODELS} == {
        *FACE_EMBEDDERS,
        *FACE_DETECTORS,
        *(name.partition("/")[0] for name in PERSON_DETECTORS),
    }
    assert {name for name, entry in MODELS.items() if entry.kind == "person detector"} == set(PERSON_DETECTORS)
    assert set(choices.RECOGNISERS) == set(FACE_EMBEDDERS)
    assert set(choices.FACE_DETECTORS) == set(FACE_DETECTORS)
    assert set(choices.PERSON_DETECTORS) == {name.partition("/")[0] for name in PERSON_DETECTORS}
    assert set(choices.MATCHERS) == set(MATCHERS)
    assert set(choices.CHOICES["attackers"]) == set(ATTACKERS)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *(("audit", name) for name in ("face-models", "landmarks", "face-detectors", "detector", "matchers")),
        ("attack", "attack-matchers"),
        ("audit", "attacks"),
        ("attack", "attacks"),
        *(("design", name) for name in ("face-model", "landmarks", "detector", "attackers")),
    ],
)
def test_an_unknown_name_is_one_line(command, option, capsys, tmp_path):
    assert main([command, f"--{option}", "nope", "--out", str(tmp_path / "out")]) == 1
    assert f"--{option}: expected one of" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("config", [audit.Config, attack.Config])
def test_every_attack_is_in_the_help(config):
    page = " ".join(help_page("audit", config).split())
    assert all(name in page for name in ATTACK_OPTIONS)


def test_attacks_may_be_spelt_as_in_a_report():
    check_choices(audit.Config(attacks=("several probe images, colour maps", "colour-maps", "none")))

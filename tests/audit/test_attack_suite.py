"""The attack suite on the embedded sample: the harness and the threat models, not figures about real people."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import skimage
from support.fake_attacks import result
from support.fake_audit import FakeContext, MeanColour, drop_cells

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.attack_options import option_name
from campro.attacks.attack_table import find_attack
from campro.attacks.budget import BUDGETS
from campro.audit import attack_suite, audit_run
from campro.audit.attack_rows import attack_rows
from campro.audit.attack_suite import attack_key
from campro.audit.audit_config import AuditConfig
from campro.audit.audit_context import AuditContext
from campro.audit.audit_run import run_audit
from campro.audit.prepared_attack import Task
from campro.cli.main import main
from campro.core.cells import CellFile
from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.core.run_folder import RunFolder
from campro.data.embedded import FACE_PLANS
from campro.data.facemodel import FaceModel
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise

PROFILES = Path(__file__).parents[2] / "benchmarks" / "results" / "profiles"


@pytest.fixture
def twenty(tmp_path, monkeypatch):
    """The first 20 people of the embedded sample, and a photograph; the entropy of colours has its own tests."""
    monkeypatch.setattr(audit_run, "measure_remaining_information", lambda run, context: None)
    plan = FACE_PLANS["test"]
    for person, photos in enumerate(FaceModel.load().sample(20, plan.images, plan.seed)):
        for number, photo in enumerate(photos):
            write_image(tmp_path / "faces" / f"{person:02d}" / f"{number}.png", photo)
    write_image(tmp_path / "photos" / "coffee.png", skimage.data.coffee())


def rows(out, capsys, *words):
    words = ["--faces", str(out.parent / "faces"), "--photos", str(out.parent / "photos"), *words]
    words = ["--repeats", "2", "--json", "--densities", *words]
    assert main(["attack", "--out", str(out), *words]) == 0
    return {row["attack"]: row for row in json.loads(capsys.readouterr().out)}


BLACK = IspProfile("black", (Degamma(), Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), GammaLut(((0.0, 0.0),)), Quantise(8)))


@pytest.mark.slow
@pytest.mark.usefixtures("twenty")
def test_known_profiles_have_the_expected_rates(tmp_path, capsys):
    """No profile protects nobody; an invertible one nobody in the white-box model; a constant one everybody."""
    plain = rows(tmp_path / "c", capsys, "--attacks", "no-attack", "--profile", "identity")["no attack"]
    assert plain["rank1"] == plain["control"]
    words = ["--attacks", "no-attack", "analytic-inversion", "--profile", "invert"]
    inverted = rows(tmp_path / "a", capsys, *words)
    assert inverted["no attack"]["rank1"]["mean"] < 0.3
    assert inverted["analytic inversion"]["rank1"]["mean"] == pytest.approx(inverted["no attack"]["control"]["mean"])
    BLACK.save(tmp_path / "black.json")
    words = ["--attacks", "no-attack", "re-enrolment", "--profile", str(tmp_path / "black.json")]
    constant = rows(tmp_path / "b", capsys, *words)
    assert constant["no attack"]["rank1"]["mean"] < 0.1  # chance is one in twenty
    same = constant["re-enrolment"]
    assert "% are ties" in same["verdict"]  # all pictures are equal, and ties go to the attacker: the row says so


def test_an_unknown_attack_is_refused(tmp_path, capsys):
    assert main(["attack", "--out", str(tmp_path), "--attacks", "hope"]) == 1
    assert "one of cheap, full, none, no-attack" in capsys.readouterr().err


def test_trained_attacks_need_people_to_train_on(tmp_path):
    config = AuditConfig(faces=tmp_path, attacks=("full",))
    context = AuditContext(config)
    with pytest.raises(CamproError, match="--train-faces"):
        attack_suite.measure_attacks(RunFolder.open(tmp_path / "run", {}), context)


def test_trained_attacks_need_recognisers_with_gradients(audit_config, audit_context, tmp_path):
    context = FakeContext(replace(audit_config, attacks=("full",)), tmp_path)
    context.train_faces = context.faces
    context.embedder("colour").differentiable = False
    with pytest.raises(CamproError, match=r"colour, without gradients.*--attacks cheap"):
        run_audit(context.config, context)
    assert not context.calls


def test_runs_of_a_larger_budget_count_and_are_not_repeated(tmp_path, monkeypatch):
    first, measured = "polynomial, 1 image pair", []

    def measure(context, task):
        measured.append(task)
        return result("gray-box", 0.9 if task.run == first else 0.1)

    monkeypatch.setattr(attack_suite, "measure", measure)
    monkeypatch.setattr(attack_suite, "control_recogniser", lambda context, model: None)
    knowledge = AttackerKnowledge(MeanColour(), 0, photos=(Path("never-read.png"),) * 10)
    monkeypatch.setattr(
        AuditContext, "knowledge", lambda self, *_: replace(knowledge, budget=BUDGETS[self.config.budget])
    )
    config = AuditConfig(attacks=("colour maps",), out=tmp_path / "run")
    run = RunFolder.open(config.out, {})
    attack_suite.measure_attacks(run, AuditContext(config))
    assert first in {task.run for task in measured}
    assert drop_cells(run, lambda key: key["camera"] == "control") == 1
    measured.clear()
    run = RunFolder.open(config.out, {})
    attack_suite.measure_attacks(run, AuditContext(replace(config, budget="quick")))
    (row,) = attack_rows(run.cells())
    assert row.best_run == first
    assert not measured


@pytest.mark.parametrize("file", sorted(PROFILES.glob("*.jsonl")), ids=lambda file: file.stem)
def test_published_cells_are_found_by_the_current_keys(file):
    """A run that is resumed, and `campro compare`, still read cells of any earlier date."""
    cells = [cell for cell in CellFile(file).all() if cell.key["kind"] == "attack"]
    assert cells
    for cell in cells:
        key = cell.key
        attack = find_attack(option_name(key["attack"]))
        assert attack.name == key["attack"]
        config = AuditConfig(attack_matchers=tuple(key["matchers"]), budget=key.get("budget", "standard"))
        assert attack_key(config, Task(key["model"], attack.name, key["camera"], key["run"])) == key

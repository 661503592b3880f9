"""The game: it protects, it can be stopped anywhere, and it ends the same."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.core.progress import Progress
from campro.design import designer as design_run
from campro.design.attackers import ATTACKERS
from campro.design.design_config import DesignConfig, Recipe
from campro.design.players import frozen
from campro.design.start import start_profile
from campro.enhance.runner import load_enhancer
from campro.isp import load_profile
from campro.models.faces import load_embedder

RECIPE = Recipe(
    1,
    4,
    pipeline_lr=3e-2,
    recogniser_lr=1e-3,
    detector_lr=1e-4,
    face_batch=4,
    scene_batch=1,
    max_warmup=2,
    enhancer_steps=2,
)


@pytest.fixture(scope="module", autouse=True)
def _small(tmp_path_factory):
    """A tiny game on a few synthetic people."""
    patch = pytest.MonkeyPatch()
    patch.setenv("CAMPRO_CACHE", str(tmp_path_factory.mktemp("cache")))
    whole = design_run.training_data

    def few(config):
        faces, scenes = whole(config)
        return faces.first(6), scenes.first(3)

    patch.setattr(design_run, "training_data", few)
    patch.setattr(design_run, "recipe_of", lambda config: replace(RECIPE, omega=config.omega or RECIPE.omega))
    yield
    patch.undo()


def _config(folder, **more):
    return DesignConfig(out=folder, accelerator="cpu", **more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return design_run.design(_config(tmp_path_factory.mktemp("whole") / "run"))


def test_ends_with_a_profile_that_says_where_it_comes_from(finished):
    profile = load_profile(finished)
    assert profile.blocks != start_profile(RECIPE.start, RECIPE.lut_points, ()).blocks
    assert profile.provenance.models == {"recogniser": "dlib-resnet29", "detector": "campro-person"}
    assert set(profile.provenance.data) == {"faces", "scenes"}
    assert (finished.parent / "metrics.jsonl").read_text().count('"phase":1') == 4


PLAIN_ADVANCE = Progress.advance


def _die_at(monkeypatch, round_):
    """Interrupt the game after that round, its state saved after every one."""
    rounds = 0

    def dying(self, *args, **texts):
        nonlocal rounds
        rounds += self.description == "design"
        if rounds == round_:
            raise KeyboardInterrupt
        PLAIN_ADVANCE(self, *args, **texts)

    monkeypatch.setattr("campro.design.game.SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(Progress, "advance", dying)


def test_killed_anywhere_it_ends_with_the_same_profile(finished, tmp_path, monkeypatch):
    _die_at(monkeypatch, 4)
    with pytest.raises(KeyboardInterrupt):
        design_run.design(_config(tmp_path / "run"))
    monkeypatch.setattr(Progress, "advance", PLAIN_ADVANCE)
    again = design_run.design(_config(tmp_path / "run"))
    assert load_profile(again).digest == load_profile(finished).digest
    assert (tmp_path / "run/metrics.jsonl").read_text() == (finished.parent / "metrics.jsonl").read_text()


@pytest.mark.slow
def test_it_ends_with_an_enhancer_where_one_is_asked_for(tmp_path):
    found = design_run.design(_config(tmp_path / "run", enhance=True))
    enhancer = load_enhancer(tmp_path / "run" / "enhancer.onnx")
    enhancer.check_profile(load_profile(found).digest, "its own")
    assert enhancer(np.full((50, 70, 3), 90, np.uint8)).shape == (50, 70, 3)


@pytest.mark.slow
def test_a_company_of_attackers_killed_and_begun_anew_ends_the_same(tmp_path, monkeypatch):
    """All attackers at once, one of them beginning anew every round; killed in the third, it ends the same."""
    richer = {"attackers": tuple(ATTACKERS), "renew": 1, "isp": ("offsets", "bits=5"), "face_model": "mobilefacenet"}
    whole = design_run.design(_config(tmp_path / "whole", **richer))
    said = json.loads((tmp_path / "whole/metrics.jsonl").read_text().splitlines()[-1])
    assert {f"attacker {name}" for name in ATTACKERS} <= set(said)
    _die_at(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        design_run.design(_config(tmp_path / "run", **richer))
    monkeypatch.undo()
    again = design_run.design(_config(tmp_path / "run", **richer))
    assert load_profile(again).digest == load_profile(whole).digest
    assert load_profile(again).blocks[-1].bits == 5


@pytest.mark.parametrize("options", [{"attackers": ("nobody",)}, {"isp": ("sharpen",)}])
def test_unknown_attackers_and_extras_are_refused(options, tmp_path):
    with pytest.raises(CamproError, match=f"--{next(iter(options))}.*one of|of recogniser"):
        design_run.design(_config(tmp_path / "run", **options))


def test_another_configuration_is_refused(finished):
    with pytest.raises(CamproError, match="seed"):
        design_run.design(_config(finished.parent, seed=5))


def test_protector_only_is_another_game(finished, tmp_path):
    profile = design_run.design(_config(tmp_path / "run", protector_only=True))
    assert load_profile(profile).digest != load_profile(finished).digest
    assert '"attacker' not in (tmp_path / "run/metrics.jsonl").read_text().splitlines()[-1]


def test_a_start_with_nothing_to_learn_is_refused(tmp_path):
    with pytest.raises(CamproError, match="nothing to learn"):
        design_run.design(_config(tmp_path / "run", start="low-resolution-4"))


def test_frozen_lets_gradients_pass():
    embed = load_embedder("mobilefacenet", weights=None)
    crops = torch.rand(1, 3, *embed.card.size, requires_grad=True)
    with frozen(embed):
        rows = embed(crops)
    rows.sum().backward()
    assert crops.grad.abs().sum() > 0
    assert all(p.grad is None and p.requires_grad for p in embed.parameters())


@pytest.mark.parametrize("options", [{"rounds": 0}, {"omega": -1.0}, {"faces": "x"}])
def test_nonsense_is_refused(options):
    with pytest.raises(CamproError, match="design"):
        DesignConfig(**options)

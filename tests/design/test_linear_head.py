"""The paper's attacker and preset: the linear head, the start profile, and a warm-up that passes its threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from campro.core.device import make_fabric
from campro.core.types import Detections
from campro.design.batches import FaceCrops
from campro.design.design_config import LINEAR, PRESETS
from campro.design.designer import _plain as recorded
from campro.design.game import Game
from campro.design.linear_head import LinearHeadAttacker
from campro.design.protector import Protector
from campro.design.start import start_profile
from campro.isp import IspPipeline
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

PEOPLE, SIZE = 4, (8, 8)


class Colours(FaceEmbedder):
    """A linear recogniser of a crop's mean colours in four quarters."""

    def __init__(self) -> None:
        super().__init__(EmbedderCard("colours", SIZE, 12, mean=0.5, std=0.5, template="arcface-112"))
        self.layer = nn.Linear(12, 12)

    def features(self, prepared):
        return self.layer(F.avg_pool2d(prepared, 4).flatten(1))


class Detector(nn.Module):
    """Its loss is the mean level that it misses in the first box of each scene."""

    card = replace(Colours().card, size=(16, 16))

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def calibrate(self, images) -> None:
        pass

    def loss(self, images, truth):
        x0, y0, x1, y1 = truth[0].boxes[0].int().tolist()
        return (1 - self.weight * images[0, :, y0:y1, x0:x1]).abs().mean()


@pytest.fixture
def game(monkeypatch):
    """The preset `paper` with four people of one colour pattern each, and one scene with one box."""
    rng = np.random.default_rng(0)
    pattern = rng.integers(40, 215, (PEOPLE, 2, 1, 3)).repeat(4, 1).repeat(8, 2)
    pixels = (pattern.repeat(8, 0) + rng.integers(-20, 20, (8 * PEOPLE, *SIZE, 3))).astype(np.uint8)
    scene = (np.full((1, 16, 16, 3), 90, np.uint8), [Detections.truth([[2, 2, 10, 12]])])
    monkeypatch.setattr("campro.design.batches.scene_batch", lambda *_: scene)
    torch.manual_seed(0)
    recipe = replace(PRESETS["paper"], face_batch=16, scene_batch=1, epochs=2, max_warmup=300)
    recipe = replace(recipe, recogniser_lr=0.1)  # the features have norm 1, not 15 as those of MobileFaceNet
    pipeline = IspPipeline.from_profile(start_profile(recipe.start, recipe.lut_points, ()))
    return Game(
        fabric=make_fabric("cpu", 1, "32-true", 1),
        recipe=recipe,
        attackers={"recogniser": LinearHeadAttacker(Colours(), torch.zeros(PEOPLE, 12))},
        protector=Protector(pipeline, Detector()),
        faces=FaceCrops(pixels, np.arange(PEOPLE).repeat(8), PEOPLE),
        scenes=(),
        seed=0,
        protector_only=False,
    )


def test_the_linear_curve_is_linear_light():
    x = torch.linspace(0, 1, 256).expand(1, 3, 1, 256)
    captured = IspPipeline.from_profile(start_profile(LINEAR, 32, ()))(x)
    torch.testing.assert_close(captured, x**2.2, atol=0.51 / 255, rtol=0)


def test_warm_up_passes_its_threshold_and_the_game_trains_all_players(game):
    before = {name: value.clone() for name, value in game.protector.state_dict().items()}
    losses = list(game.rounds())
    assert not game.state.missed_threshold
    assert 1 < game.state.warmup_rounds < game.recipe.max_warmup
    assert len(losses) == game.state.warmup_rounds + game.recipe.rounds(len(game.faces))
    assert game.state.accuracy > game.recipe.warmup_accuracy  # it stays there in the few rounds of the game
    changed = {name for name, value in game.protector.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"pipeline.blocks.1.matrix", "pipeline.blocks.2.values", "detector.weight"}


def test_logits_are_linear_in_the_features():
    embedder, templates = Colours(), F.normalize(torch.randn(PEOPLE, 12))
    crops, rng = torch.rand(3, 3, *SIZE), np.random.default_rng(0)
    features = embedder.features(embedder.card.prepare(crops))
    started = LinearHeadAttacker(embedder, templates, from_templates=True)
    torch.testing.assert_close(started.logits(crops, rng), features @ templates.T)
    random = LinearHeadAttacker(embedder, templates)
    torch.testing.assert_close(random.logits(crops, rng), features @ random.head.weight.T + random.head.bias)


def test_the_rate_rises_in_the_first_rounds(game):
    game.recipe = replace(game.recipe, rate_rise=4, recogniser_lr=0.1)
    rates = []
    for _ in range(5):
        game._warmup_round()
        rates.append(game.optimised["recogniser"][1][0].param_groups[0]["lr"])
    assert rates == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])


def test_settings_of_older_runs_are_recorded_as_then():
    assert not {"head", "momentum", "labels"} & set(recorded(PRESETS["cpu"]))
    assert {"head", "momentum", "labels", "max_norm"} <= set(recorded(PRESETS["paper"]))

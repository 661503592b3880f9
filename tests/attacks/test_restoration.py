"""Restoration networks learn, and the recogniser behind them stays as it is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from campro.attacks import restoration
from campro.attacks.attack_base import AttackerKnowledge, TrainingResult
from campro.attacks.attack_table import find_attack
from campro.attacks.budget import FULL, TrainingSettings
from campro.attacks.restoration import IDENTITY_WEIGHTS, RestoringEmbedder, restore
from campro.attacks.training_crops import CropPairs
from campro.core.images import to_tensor

RESULT = TrainingResult((0.0, 1.0), converged=True)


def test_restorers_are_trained_once_for_one_probe_image_and_several(
    trainable, cache, two_crops, tiny_embedder, monkeypatch
):
    trained = []
    monkeypatch.setattr(restoration, "training_crops", lambda knowledge, cache: (two_crops, two_crops))
    monkeypatch.setattr(restoration, "fitted_lut", lambda knowledge, cache: SimpleNamespace(lut=None))
    monkeypatch.setattr(restoration, "restore", lambda *given: trained.append(given) or (tiny_embedder(), RESULT))
    one, several = (
        find_attack(name).runs(trainable, cache) for name in ("restoration", "several probe images, restoration")
    )
    assert list(one) == ["L1 and identity, learning rate 0.001"]
    assert list(several) == [f"{count} probe images, L1 and identity, learning rate 0.001" for count in (2, 4, 8)]
    adversaries = [make() for runs in (one, several) for make in runs.values()]
    assert [adversary.probe_images for adversary in adversaries] == [1, 2, 4, 8]
    assert len({id(adversary.embedder) for adversary in adversaries}) == len(trained) == 1


def test_the_full_budget_has_both_losses(trainable, cache):
    runs = find_attack("restoration").runs(replace(trainable, budget=FULL), cache)
    assert {"L1, learning rate 0.001", "L1 and identity, learning rate 0.001, seed 2"} < set(runs)
    assert len(runs) == 10


def test_at_first_a_restorer_is_its_colour_map(tiny_embedder):
    crops = torch.rand(2, 3, 16, 16)
    network = RestoringEmbedder(tiny_embedder(), lambda images: 1 - images)
    torch.testing.assert_close(network.restored(crops), 1 - crops)


@pytest.mark.slow
@pytest.mark.parametrize("identity", IDENTITY_WEIGHTS.values(), ids=list(IDENTITY_WEIGHTS))
def test_a_restorer_learns_and_the_recogniser_stays(identity, tiny_embedder, quick, cache):
    """Captured crops have a colour shift that depends on the position, which no colour map can undo."""
    teacher, rng = tiny_embedder().eval(), np.random.default_rng(0)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    crops = rng.integers(0, 128, (300, 4, 4, 3), dtype=np.uint8).repeat(4, 1).repeat(4, 2)
    shade = np.linspace(0, 120, 16).astype(np.uint8)[None, :, None, None]
    faces = CropPairs(crops, crops + shade, torch.zeros(300, dtype=torch.long))
    training_set, validation_set = faces.subset(np.arange(250)), faces.subset(np.arange(250, 300))
    knowledge = AttackerKnowledge(teacher, 0, budget=replace(quick, epochs=1))
    settings = TrainingSettings(3e-3)
    network, result = restore(
        knowledge, cache, lambda images: images, training_set, validation_set, identity, settings
    )  # fmt: skip
    assert result.curve[0] < 0.95
    assert max(result.curve) > result.curve[0] + 0.02
    assert network(to_tensor(validation_set.captured)).shape == (50, 8)
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert not any(weight.requires_grad for weight in network.recogniser.parameters())

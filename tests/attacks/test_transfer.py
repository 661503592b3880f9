"""Restorers that are trained with one recogniser and judged by another one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from campro.attacks import restoration
from campro.attacks.attack_base import Adversary, AttackerKnowledge, TrainingResult
from campro.attacks.attack_table import find_attack
from campro.attacks.restoration import RestoringEmbedder
from campro.attacks.transfer import TransferredRestorer, placed
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

WIDE = EmbedderCard("wide", (112, 112), 3, 0.0, 1.0, "arcface-112")
NARROW = EmbedderCard("narrow", (112, 96), 3, 0.0, 1.0, "arcface-112x96")


class Mean(FaceEmbedder):
    """The mean colour, without gradients."""

    differentiable = False

    def features(self, prepared):
        return prepared.mean((2, 3))


def test_the_narrow_crop_is_the_middle_of_the_wide_one():
    crops = torch.rand(2, 3, 112, 112)
    torch.testing.assert_close(placed(crops, WIDE, NARROW), crops[..., 8:104], atol=1e-4, rtol=0)
    back = placed(crops[..., 8:104], NARROW, WIDE)
    torch.testing.assert_close(back[..., 8:104], crops[..., 8:104], atol=1e-4, rtol=0)
    torch.testing.assert_close(back[..., :8], crops[..., 8:9].expand(-1, -1, -1, 8), atol=1e-4, rtol=0)
    assert placed(crops, WIDE, WIDE) is crops


class Negative(RestoringEmbedder):
    """The colour map alone, counted."""

    passes = 0

    def restored(self, crops):
        self.passes += 1
        return 1 - crops


def test_two_recognisers_cost_one_pass_of_the_restorer(cache):
    restorer = Negative(Mean(WIDE), lambda crops: crops)
    crops = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112))) / 255
    transferred = [TransferredRestorer(restorer, Mean(card), cache, "restorer") for card in (WIDE, NARROW)]
    for one, card in zip(transferred, (WIDE, NARROW), strict=True):
        wanted = Mean(card)(placed(1 - crops, WIDE, card))
        torch.testing.assert_close(one(crops), wanted, atol=1e-4, rtol=0)
        assert one.card.size == WIDE.size
    assert restorer.passes == 1
    assert len({one.card.name for one in transferred}) == 2
    TransferredRestorer(restorer, Mean(WIDE), cache, "another restorer")(crops)
    assert restorer.passes == 2


def test_a_restorer_is_trained_once_and_serves_recognisers_without_gradients(trainable, cache, monkeypatch):
    network, trained = Negative(trainable.embedder, lambda crops: crops), []
    made = Adversary(embedder=network, training=TrainingResult((0.0, 1.0), True), learned_from=7)
    monkeypatch.setattr(restoration, "_restorer", lambda *given: trained.append(given) or made)
    mean = Mean(WIDE)
    knowledge = replace(trainable, embedder=mean, others=(trainable.embedder,))
    assert find_attack("restoration").runs(knowledge, cache) == {}
    ((name, make),) = find_attack("transferred-restoration").runs(knowledge, cache).items()
    assert name.startswith(f"{trainable.embedder.card.name}: ")
    adversary = make()
    assert isinstance(adversary.embedder, TransferredRestorer) and adversary.embedder.recogniser is mean
    assert adversary.learned_from == 7
    (given,) = trained
    assert given[0].digest == trainable.digest


def test_alone_a_recogniser_has_no_transfer(tiny_embedder, cache):
    assert find_attack("transferred restoration").runs(AttackerKnowledge(tiny_embedder(), 0), cache) == {}

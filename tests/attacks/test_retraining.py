"""Retrained recognisers recognise people whom they were not trained on; the loss by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.budget import TrainingSettings
from campro.attacks.retraining import (
    MARGIN,
    SCALE,
    can_reset,
    initial_proxies,
    logits,
    retrain,
    retraining_runs,
    subset_of_few_people,
    validation_rank1,
)
from campro.attacks.training_crops import CropPairs


def test_runs(trainable, cache):
    assert list(retraining_runs(trainable, cache)) == [
        f"{start}, ArcFace, learning rate 0.001" for start in ("distilled", "fine-tuned", "from scratch")
    ]


def test_a_network_without_rules_for_random_weights_cannot_start_from_scratch(trainable):
    bare = nn.Module()
    bare.weight = nn.Parameter(torch.ones(9))
    assert can_reset(trainable.embedder)
    assert can_reset(nn.Linear(3, 3))
    assert not can_reset(bare)
    assert can_reset(nn.Sequential(nn.Linear(20, 20), bare))  # 420 of 429 weights are drawn anew
    assert not can_reset(nn.Sequential(nn.Linear(2, 2), bare))


def test_classes_of_a_small_set_are_whole():
    subjects = torch.tensor([2, 0, 1, 0, 1, 2, 0])
    crops = np.arange(7, dtype=np.uint8).reshape(7, 1, 1, 1).repeat(3, axis=3)
    subset = subset_of_few_people(CropPairs(crops, 255 - crops, subjects), 5)
    assert subset.subjects.tolist() == [0, 0, 0, 1, 1]
    assert subset.raw[:, 0, 0, 0].tolist() == [1, 3, 6, 2, 4]


@pytest.mark.parametrize(("start", "head"), [("fine-tuned", "ArcFace"), ("from scratch", "softmax")])
@pytest.mark.slow
def test_a_recogniser_learns_captured_faces_of_other_people(start, head, tiny_embedder, standard, cache):
    """People are colours, captured faces are negatives: what is learned from some people serves for others."""
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (60, 1, 1, 3))
    subjects = np.repeat(np.arange(60), 6)
    crops = (colours[subjects] + rng.integers(-12, 13, (360, 16, 16, 3))).clip(0, 255).astype(np.uint8)
    faces = CropPairs(crops, 255 - crops, torch.from_numpy(subjects))
    training_set, rest = faces.subset(np.arange(300)), faces.subset(np.arange(300, 360))
    validation_set = CropPairs(rest.raw, rest.captured, rest.subjects - 50)
    knowledge = AttackerKnowledge(tiny := tiny_embedder(), 0, budget=standard)
    settings = TrainingSettings(1e-2)
    student, result = retrain(knowledge, cache, tiny, training_set, validation_set, start, head, settings)
    assert max(result.curve) > result.curve[0] + 0.2
    assert validation_rank1(student, validation_set) == pytest.approx(max(result.curve))


def test_ties_are_misses_in_validation(tiny_embedder):
    photos, subjects = np.full((4, 16, 16, 3), 100, np.uint8), torch.tensor([0, 1, 0, 1])
    constant = tiny_embedder()
    for weight in constant.parameters():
        nn.init.zeros_(weight)
    assert validation_rank1(constant, CropPairs(photos, photos, subjects)) == 0


def test_one_photograph_of_each_person_has_no_probe(tiny_embedder):
    photos = np.full((2, 16, 16, 3), 100, np.uint8)
    assert validation_rank1(tiny_embedder(), CropPairs(photos, photos, torch.tensor([0, 1]))) == 0


def test_proxies_start_at_the_mean_embedding():
    embeddings = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    expected = 2 * torch.tensor([[0, 1.0, 0, 0], [0.5**0.5, 0, 0, 0.5**0.5]])
    torch.testing.assert_close(initial_proxies(embeddings, torch.tensor([1, 0, 1])), expected)


def test_arcface_by_hand():
    embeddings, proxies = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0], [0.0, 2.0]])
    subjects = torch.tensor([0])
    plain, hard = logits(embeddings, proxies, subjects, "softmax"), logits(embeddings, proxies, subjects, "ArcFace")
    np.testing.assert_allclose(plain, SCALE * np.array([[0.5**0.5, 0]]), atol=1e-3)
    np.testing.assert_allclose(hard, SCALE * np.array([[np.cos(np.pi / 4 + MARGIN), 0]]), atol=1e-3)

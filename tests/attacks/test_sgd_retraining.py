"""Retraining as published: it learns, its rate decays, and a diverged training says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.attacks import sgd_retraining
from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.sgd_retraining import retrain_at_falling_rates, retrain_by_sgd
from campro.attacks.training_crops import CropPairs


@pytest.fixture
def faces():
    """People are colours, captured faces are negatives; ten people apart for validation."""
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(40), 6)
    crops = rng.integers(0, 256, (40, 1, 1, 3))[subjects] + rng.integers(-12, 13, (240, 16, 16, 3))
    raw = crops.clip(0, 255).astype(np.uint8)
    pairs = CropPairs(raw, 255 - raw, torch.from_numpy(subjects))
    validation = pairs.subset(np.arange(180, 240))
    return pairs.subset(np.arange(180)), CropPairs(validation.raw, validation.captured, validation.subjects - 30)


@pytest.mark.parametrize(
    ("start", "head", "protocol"),
    [("fine-tuned", "ArcFace", "raw and captured"), ("from scratch", "softmax", "captured only")],
)
def test_losses_fall_and_faces_of_other_people_are_recognised(start, head, protocol, tiny_embedder, faces, monkeypatch):
    rates = []
    monkeypatch.setattr(
        sgd_retraining,
        "set_learning_rate",
        lambda optimiser, rate: rates.append(rate) or [group.update(lr=rate) for group in optimiser.param_groups],
    )
    knowledge = AttackerKnowledge(tiny_embedder(), 0)
    student, history = retrain_by_sgd(knowledge, *faces, start, head, protocol, epochs=8)
    assert rates == pytest.approx([0.1] * 4 + [0.01] * 2 + [0.001] * 2)
    assert len(history.losses) == 8 and len(history.accuracy) == 9
    assert history.losses[-1] < 0.8 * history.losses[0]
    if protocol == "captured only":  # a raw gallery takes longer: negatives must be matched with positives
        assert history.accuracy[-1] > 0.3
    assert not student.training and student.card.weights_sha256 is None


def test_a_training_that_diverges_has_not_converged(tiny_embedder, faces):
    """Weights of 1e30 overflow: the first loss that is not finite ends the training."""
    knowledge = AttackerKnowledge(tiny_embedder(), 0)
    _, history = retrain_by_sgd(knowledge, *faces, "fine-tuned", "softmax", "captured only", 3, learning_rate=1e38)
    assert len(history.losses) < 3
    assert not history.converged


def test_a_rate_at_which_the_training_diverges_is_followed_by_a_lower_one(tiny_embedder, faces, monkeypatch):
    monkeypatch.setattr(sgd_retraining, "RATES", (1e38, 0.1, 0.01))
    knowledge = AttackerKnowledge(tiny_embedder(), 0)
    _, history = retrain_at_falling_rates(knowledge, *faces, "fine-tuned", "softmax", "captured only", 1)
    assert history.learning_rate == 0.1
    assert len(history.losses) == 1


def test_a_fine_tuning_that_loses_what_was_known_is_given_up(tiny_embedder, faces, monkeypatch):
    """Validation accuracy of 0.8, then 0.5, then 0.3: below the half in the second epoch of five."""
    accuracies = iter((0.8, 0.5, 0.3))
    monkeypatch.setattr(sgd_retraining, "validation_rank1", lambda *_: next(accuracies))
    knowledge = AttackerKnowledge(tiny_embedder(), 0)
    _, history = retrain_by_sgd(knowledge, *faces, "fine-tuned", "softmax", "captured only", 5)
    assert history.accuracy == (0.8, 0.5, 0.3)
    assert len(history.losses) == 1 and not history.converged


def test_a_network_from_scratch_that_is_killed_is_trained_at_a_lower_rate(tiny_embedder, faces, monkeypatch):
    """From scratch a fall of the accuracy counts only where nobody is identified any more."""
    accuracies = iter((0.04, 0.0, 0.04, 0.01, 0.3))
    monkeypatch.setattr(sgd_retraining, "validation_rank1", lambda *_: next(accuracies))
    knowledge = AttackerKnowledge(tiny_embedder(), 0)
    _, history = retrain_at_falling_rates(knowledge, *faces, "from scratch", "softmax", "captured only", 2)
    assert (history.learning_rate, history.accuracy) == (0.01, (0.04, 0.01, 0.3))


def test_the_lowest_rate_is_trained_to_the_end(tiny_embedder, faces, monkeypatch):
    monkeypatch.setattr(sgd_retraining, "validation_rank1", lambda *_: next(accuracies))
    monkeypatch.setattr(sgd_retraining, "RATES", (0.1, 0.01))
    accuracies = iter((0.8, 0.3, 0.8, 0.3, 0.2))
    _, history = retrain_at_falling_rates(
        AttackerKnowledge(tiny_embedder(), 0), *faces, "fine-tuned", "softmax", "captured only", 2
    )
    assert (history.learning_rate, history.accuracy, len(history.losses)) == (0.01, (0.8, 0.3, 0.2), 2)

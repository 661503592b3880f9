"""The training loop: restarts, early stopping, annealing, and when a training counts as converged."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
import torch
from torch import nn

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.budget import TrainingSettings
from campro.attacks.training_run import TrainingRun, averaging_share, has_converged

SETTINGS = TrainingSettings(1e-3)
FELL, GAVE_UP, LOST = [0.3, 0.4, 0.2, 0.2, 0.2, 0.2, 0.2], [0.3, 0.2, 0.2, 0.2], [0.3, 0.1]
ROSE = [0.3, *np.linspace(0.35, 0.46, 12).tolist()]


@pytest.fixture
def long(tiny_embedder, standard):
    return AttackerKnowledge(tiny_embedder(), 0, budget=standard)


@pytest.fixture
def short(tiny_embedder, quick):
    return AttackerKnowledge(tiny_embedder(), 0, budget=quick)


def test_a_learning_rate_that_is_too_high_is_lowered(short):
    """A weight is to become 1; at rate 1e5 no attempt gets there, at rate 2 the second one does."""
    layer = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(layer.weight)

    def run(label):
        return TrainingRun(
            layer,
            lambda indices, rng: (layer.weight - 1).square().sum(),
            lambda: -float((layer.weight - 1).square().sum().detach()),
            8,
            short,
            label,
        )

    failed = run("too high").train(TrainingSettings(1e5))
    assert not failed.converged
    assert float(layer.weight.detach()) == 0  # the initial weights
    assert max(run("high").train(TrainingSettings(2.0)).curve) > -0.5


def test_batches_and_annealing(short):
    """The gradient is 1 in each step, so that Adam moves the weight by the learning rate."""
    layer, sizes, weights = nn.Linear(1, 1, bias=False), [], []

    def steady(indices, rng):
        sizes.append(len(indices))
        weights.append(layer.weight.item())
        return layer.weight.sum()

    def moves(faces=100, **options):
        weights.clear()
        rising = count(-1)
        TrainingRun(layer, steady, lambda: next(rising), faces, short, "anneal", **options).train(SETTINGS)
        return -np.diff(weights)

    epochs = short.budget.epochs
    steps = epochs * 100  # of 16 faces, of at least 1600 an epoch
    annealed = moves(batch=16, annealed=True)
    assert annealed == pytest.approx(5e-4 * (1 + np.cos(np.pi * np.arange(steps - 1) / steps)), abs=2e-5)
    assert set(sizes) == {16}
    assert moves() == pytest.approx(np.full(epochs * 25 - 1, 1e-3), abs=2e-5)
    assert sizes[-1] == 64
    assert len(moves(faces=10)) == epochs * 25 - 1
    assert sizes[-1] == 10


def test_every_face_is_used_once_before_any_is_used_again(short):
    layer, used, rising = nn.Linear(1, 1), [], count(-1)

    def loss(indices, rng):
        used.extend(indices.tolist())
        return layer.weight.sum()

    TrainingRun(layer, loss, lambda: next(rising), 96, short, "", batch=32).train(SETTINGS)
    assert sorted(used[:96]) == sorted(used[96:192]) == list(range(96))
    assert used[:96] != used[96:192]


def test_a_perfect_student_is_not_trained(tiny_embedder, long):
    student, steps = tiny_embedder(), []
    run = TrainingRun(student, lambda indices, rng: steps.append(indices), lambda: 1.0, 8, long, "perfect")
    assert run.train(SETTINGS).converged
    assert not steps
    assert not student.training


def test_a_loss_that_is_not_finite_ends_the_attempt(long):
    layer = nn.Linear(1, 1, bias=False)
    nn.init.ones_(layer.weight)
    run = TrainingRun(layer, lambda indices, rng: (layer.weight / 0).sum(), lambda: 0.5, 8, long, "")
    result = run.train(SETTINGS)
    assert (result.curve, result.converged) == ((0.5,), False)
    assert layer.weight.item() == 1


@pytest.mark.parametrize(
    "scores", [[*FELL, *ROSE], [*FELL, *GAVE_UP, *LOST], [*LOST, *ROSE]], ids=["better", "worse", "lost at once"]
)
def test_the_best_attempt_counts(scores, long):
    layer, remaining = nn.Linear(1, 1), iter(scores)
    run = TrainingRun(layer, lambda indices, rng: layer.weight.sum(), lambda: next(remaining), 8, long, "")
    result = run.train(SETTINGS)
    assert list(result.curve) == (ROSE if ROSE[1] in scores else FELL)
    assert not result.converged
    assert not list(remaining)


def test_the_initial_score_of_random_weights_does_not_count(long):
    layer, remaining = nn.Linear(1, 1), iter([0.02, 0.03, 0.03, 0.03, 0.05, *[0.08] * 7])

    def loss(indices, rng):
        return layer.weight.sum()

    run = TrainingRun(layer, loss, lambda: next(remaining), 8, long, "", untrained=True)
    assert run.train(SETTINGS).curve == (0.0, 0.02, 0.03, 0.03, 0.03, 0.05, *[0.08] * 6)


def test_the_student_ends_with_the_averaged_weights(short):
    """By hand, with the loss w: each step lowers w by the learning rate (weight decay aside)."""
    layer, rising = nn.Linear(1, 1, bias=False), count(-1)
    nn.init.zeros_(layer.weight)
    weights = []

    def loss(indices, rng):
        weights.append(layer.weight.item())
        return layer.weight.sum()

    TrainingRun(layer, loss, lambda: next(rising), 8, short, "").train(SETTINGS)
    steps = [*weights[1:], weights[-1] - 1e-3 * (1 + 1e-2 * weights[-1])]
    average = 0.0
    for number, weight in enumerate(steps):
        average += averaging_share(number) * (weight - average)
    assert layer.weight.item() == pytest.approx(average, abs=1e-6)


def test_the_newest_weights_count_less_and_less():
    assert averaging_share(0) == 0.9
    assert averaging_share(80) == 0.1
    assert averaging_share(10_000) == 0.01


def test_convergence():
    assert has_converged([0, 0.5, 0.8, 0.9, 0.9, 0.9, 0.901, 0.9, 0.9])
    assert not has_converged([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])  # still rising
    assert not has_converged([0.5, 0.4, 0.3])  # nothing was learned
    assert not has_converged([0.3, 0.32, 0.36, 0.01, 0.01, 0.01, 0.01])  # what was learned was lost


def test_equal_seeds_give_equal_weights(short):
    ends = []
    for _ in range(2):
        torch.manual_seed(0)
        layer, rising = nn.Linear(3, 1), count(-1)

        def loss(indices, rng, layer=layer):
            return layer(torch.from_numpy(rng.random((len(indices), 3))).float()).square().mean()

        TrainingRun(layer, loss, lambda rising=rising: next(rising), 64, short, "").train(SETTINGS)
        ends.append(layer.weight.detach().clone())
    assert torch.equal(*ends)

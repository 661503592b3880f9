"""Retraining as published: SGD, a fixed number of epochs, step decay (CamPro, NDSS 2024, VII-B).

The attack `retraining` is the stronger one: AdamW, proxies that start at the mean embeddings, early stopping, restarts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.budget import Head
from campro.attacks.retraining import initial_proxies, logits, reset_weights, validation_rank1
from campro.attacks.student_networks import trainable_copy
from campro.attacks.training_crops import BATCH, CropPairs, Indices, augmented, embed_crops
from campro.attacks.training_run import LEAST_KEPT, has_converged
from campro.core.device import device_of, seed_everything
from campro.core.errors import CamproError
from campro.models.faces.embedder_card import FaceEmbedder
from campro.training.gradient_steps import gradient_step
from campro.training.schedules import set_learning_rate

LEARNING_RATE = 0.1
"""That of the attackers of Algorithm 1 (VI-A)."""
RATES = (LEARNING_RATE, 0.01, 0.001, 0.0001)
"""Learning rates that are tried in turn: at the published one some recognisers lose all they know in one epoch."""
DEAD = 1e-6
"""Accuracy below which a network that is trained from scratch has dead units alone: all its embeddings are zero."""
DECAYS = (0.5, 0.75)
"""Shares of the epochs after which the learning rate falls to a tenth; chosen here."""
Protocol = Literal["captured only", "raw and captured"]
"""Training set and gallery.

- "captured only": the paper's: captured training set and gallery, class proxies start at random.
- "raw and captured": half of each batch is raw, the gallery is raw, and the proxies of a fine-tuned recogniser start at
  the mean embeddings, as in the attack `retraining`.
"""


@dataclass(frozen=True)
class TrainingHistory:
    """The course of one training; Fig. 14 of the paper."""

    losses: tuple[float, ...]
    """Mean training loss of each epoch; shorter than asked for where the training diverged or the recogniser lost what
    it knew, with useless weights.
    """
    accuracy: tuple[float, ...]
    """Rank-1 rate in [0, 1] of validation people: before the training, then after each epoch."""
    converged: bool
    learning_rate: float = LEARNING_RATE
    """Before the first decay."""


def retrain_at_falling_rates(
    knowledge: AttackerKnowledge,
    training_set: CropPairs,
    validation_set: CropPairs,
    start: Literal["fine-tuned", "from scratch"],
    head: Head,
    protocol: Protocol,
    epochs: int,
) -> tuple[FaceEmbedder, TrainingHistory]:
    """`retrain_by_sgd` at the first of `RATES` at which the training neither diverges nor loses what was known;
    with the last one whatever is lost.
    """
    for rate in RATES:
        lose = rate == RATES[-1]
        result = retrain_by_sgd(knowledge, training_set, validation_set, start, head, protocol, epochs, rate, lose)
        if len(result[1].losses) == epochs:
            break
    return result


def retrain_by_sgd(
    knowledge: AttackerKnowledge,
    training_set: CropPairs,
    validation_set: CropPairs,
    start: Literal["fine-tuned", "from scratch"],
    head: Head,
    protocol: Protocol,
    epochs: int,
    learning_rate: float = LEARNING_RATE,
    may_lose: bool = False,
) -> tuple[FaceEmbedder, TrainingHistory]:
    """Train a copy of the recogniser for all epochs; returns it, in evaluation mode, with its last weights.

    Softmax is that of scaled cosines, as in the attack `retraining`.

    Args:
        knowledge: the recogniser and the seed.
        training_set: subjects are numbered from 0.
        validation_set: other people.
        start: the off-the-shelf weights or random ones.
        head: softmax or ArcFace.
        protocol: see `Protocol`.
        epochs: passes over the training set.
        learning_rate: before the first decay.
        may_lose: whether a training goes on that has lost what the recogniser knew (`LEAST_KEPT`), or is `DEAD`.
    """
    seed_everything(knowledge.seed)
    student, rng = trainable_copy(knowledge.embedder), np.random.default_rng(knowledge.seed)
    if start == "from scratch":
        student.apply(reset_weights)
    if protocol == "captured only":
        training_set, validation_set = (replace(one, raw=one.captured) for one in (training_set, validation_set))
    random_start = start == "from scratch" or protocol == "captured only"
    proxies = nn.Parameter(_proxies(student, training_set, random_start))
    optimiser = SGD([*student.parameters(), proxies], lr=learning_rate)
    losses: list[float] = []
    accuracy = [validation_rank1(student.eval(), validation_set)]
    least = 0.0 if may_lose else LEAST_KEPT * accuracy[0] if start == "fine-tuned" else DEAD

    def history(converged: bool = False) -> TrainingHistory:
        return TrainingHistory(tuple(losses), tuple(accuracy), converged, learning_rate)

    for epoch in range(epochs):
        set_learning_rate(optimiser, learning_rate * 0.1 ** sum(epoch >= share * epochs for share in DECAYS))
        student.train()
        steps: list[float] = []
        for indices in _batches(len(training_set), rng):
            loss = _loss(student, proxies, training_set, indices, head, rng)
            if not gradient_step(loss, [optimiser]):
                return student.eval(), history()
            steps.append(float(loss.detach()))
        try:
            accuracy.append(validation_rank1(student.eval(), validation_set))
        except CamproError:  # huge weights make embeddings infinite before they are so themselves
            return student, history()
        if accuracy[-1] < least:
            return student, history()
        losses.append(float(np.mean(steps)))
    start_score = 0.0 if start == "from scratch" else accuracy[0]
    return student, history(has_converged([start_score, *accuracy[1:]]))


def _proxies(student: FaceEmbedder, training_set: CropPairs, random: bool) -> Tensor:
    device = device_of(student)
    if random:
        return torch.randn(int(training_set.subjects.max()) + 1, student.card.dim).to(device)
    return initial_proxies(embed_crops(student, training_set.raw), training_set.subjects.to(device))


def _loss(
    student: FaceEmbedder,
    proxies: Tensor,
    training_set: CropPairs,
    indices: Indices,
    head: Head,
    rng: np.random.Generator,
) -> Tensor:
    """Cross-entropy on augmented crops, the first half of them raw."""
    half, device = len(indices) // 2, device_of(student)
    halves = (training_set.raw[indices[:half]], training_set.captured[indices[half:]])
    crops = torch.cat([augmented(side, rng, device) for side in halves if len(side)])
    subjects = training_set.subjects[torch.from_numpy(indices)].to(device)
    embedded: Tensor = student(crops.flip(3) if rng.random() < 0.5 else crops)
    return F.cross_entropy(logits(embedded, proxies, subjects, head), subjects)


def _batches(count: int, rng: np.random.Generator) -> Iterator[Indices]:
    """All faces once, in random order, in batches of about `BATCH`."""
    yield from np.array_split(rng.permutation(count), max(1, round(count / BATCH)))

"""A softmax linear classifier on raw embeddings: an attacker with several named photographs of each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from campro.evaluation.scorer import Scorer
from campro.metrics.gallery_search import distinct_rows, search
from campro.metrics.identification import unit_norm

LinearWeights = Float[Tensor, "I D"]
"""One row of weights per person."""

START_SCALE = 16.0
"""Norm of the class means from which the optimiser starts; unit embeddings need logits well above 1."""


@dataclass(frozen=True)
class Setting:
    """What is tuned: ridge strength and number of optimiser steps (0 = nearest class mean)."""

    decay: float
    steps: int


def fit_softmax(
    embeddings: Float[Tensor, "N D"], subjects: Int[Tensor, "N"], people: int, setting: Setting
) -> LinearWeights:
    """Minimise the sum of cross entropies + decay / 2 * |W|^2 by L-BFGS, from the class means.

    Every person has the same weight, however many photographs there are, and there is no bias term: both would
    favour people with many photographs, while there is one probe of each. The optimum is that of scikit-learn's
    `LogisticRegression(C=1/decay, class_weight="balanced", fit_intercept=False)`.
    """
    means = embeddings.new_zeros(people, embeddings.shape[1]).index_add_(0, subjects, embeddings)
    weights = (START_SCALE * means / means.norm(dim=1, keepdim=True).clamp_min(1e-6)).requires_grad_()
    balance = len(subjects) / people / torch.bincount(subjects, minlength=people).clamp_min(1).to(embeddings)
    optimiser = torch.optim.LBFGS(
        [weights], max_iter=setting.steps, max_eval=2 * setting.steps, history_size=8, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        fit = cross_entropy(embeddings @ weights.T, subjects, balance, reduction="sum")
        total = (fit + setting.decay / 2 * weights.square().sum()) / len(embeddings)  # near 1, as the tolerances expect
        total.backward()
        return total

    if setting.steps:
        optimiser.step(loss)
    return weights.detach()


class LinearMatcher:
    """Softmax regression trained on every raw photograph of a person except the probe.

    Ridge and step count are chosen per fit on photographs held out of the training side: one of each person who
    has at least two, for at most `tuning_people` people. The cross entropy is a sum, so the ridge that suits a
    part of the people suits all.
    """

    name = "linear"

    def __init__(
        self,
        decays: Sequence[float] = (10.0, 1.0, 0.1, 0.01),
        steps: Sequence[int] = (5, 20),
        tuning_people: int = 400,
    ) -> None:
        self.settings = [Setting(0.0, 0), *(Setting(decay, count) for decay in decays for count in steps)]
        self.tuning_people = tuning_people

    def fit(
        self, raw: Float[Tensor, "N D"], subjects: Int[Tensor, "N"], gallery: Int[Tensor, "I"], seed: int
    ) -> "LinearScorer":
        """Tune on held-out training photographs, then fit on all of them."""
        embeddings = unit_norm(raw, "training embeddings")
        setting = self.choose(embeddings, subjects, seed)
        weights = fit_softmax(embeddings, subjects, len(gallery), setting)
        return LinearScorer(equal_for_equal_people(weights, embeddings, subjects), setting)

    def choose(self, embeddings: Float[Tensor, "N D"], subjects: Int[Tensor, "N"], seed: int) -> Setting:
        """The setting with the most held-out photographs at rank 1; ties go to the simpler one."""
        train, held = hold_out(subjects, self.tuning_people, seed)
        if len(held) == 0:  # one photograph each: nothing to tune on
            return self.settings[0]
        people, local = subjects[train].unique(return_inverse=True)
        mates = torch.searchsorted(people, subjects[held])
        hits = []
        for setting in self.settings:
            weights = fit_softmax(embeddings[train], local, len(people), setting)
            hits.append(int((search(embeddings[held], weights, mates).ranks == 1).sum()))
        return self.settings[hits.index(max(hits))]


@dataclass(frozen=True, eq=False)
class LinearScorer(Scorer):
    """A fitted classifier and its setting."""

    setting: Setting


def equal_for_equal_people(
    weights: LinearWeights, embeddings: Float[Tensor, "N D"], subjects: Int[Tensor, "N"]
) -> LinearWeights:
    """The weights, where people with the same training embeddings have those of the first of them.

    The optimum is the same for these people, but the optimiser reaches it with different rounding errors.
    """
    _, number = distinct_rows(embeddings)
    known: dict[int, set[tuple[int, int]]] = {}
    pairs, counts = torch.stack([subjects, number], 1).unique(dim=0, return_counts=True)
    for (person, embedding), count in zip(pairs.tolist(), counts.tolist(), strict=True):
        known.setdefault(person, set()).add((embedding, count))
    first: dict[frozenset[tuple[int, int]], int] = {}
    rows = [first.setdefault(frozenset(known[person]), person) for person in range(len(weights))]
    return weights[rows]


def hold_out(subjects: Int[Tensor, "N"], most: int, seed: int) -> tuple[Int[Tensor, "T"], Int[Tensor, "V"]]:
    """Rows to train on and rows to validate on: one random photograph of up to `most` people who have two."""
    generator = torch.Generator().manual_seed(seed)
    by_person: dict[int, list[int]] = {}
    for row in torch.randperm(len(subjects), generator=generator).tolist():
        by_person.setdefault(int(subjects[row]), []).append(row)
    chosen = [rows for rows in by_person.values() if len(rows) > 1][:most]
    train = sorted(row for rows in chosen for row in rows[1:])
    return torch.tensor(train, dtype=torch.long), torch.tensor([rows[0] for rows in chosen], dtype=torch.long)

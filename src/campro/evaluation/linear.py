"""A softmax linear classifier on raw embeddings: the attacker with several named photographs of each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from campro.metrics.identification import ranks_of_mates, unit_rows

LinearWeights = Float[Tensor, "I D"]
"""One row of weights per person."""

START_SCALE = 16.0
"""Length of the class means that the optimiser starts from; unit embeddings need logits well above 1."""


@dataclass(frozen=True)
class Setting:
    """What the attacker tunes: ridge strength and the number of optimiser steps (0 = nearest class mean)."""

    decay: float
    steps: int


def fit_softmax(rows: Float[Tensor, "N D"], owner: Int[Tensor, "N"], people: int, setting: Setting) -> LinearWeights:
    """Minimise the sum of cross entropies + decay / 2 * |W|^2 by L-BFGS, from the class means.

    Every person weighs the same however many photographs there are, and there is no bias: both would favour the
    often photographed, and the queries hold one photograph of each. The optimum is that of scikit-learn's
    `LogisticRegression(C=1/decay, class_weight="balanced", fit_intercept=False)`.
    """
    means = rows.new_zeros(people, rows.shape[1]).index_add_(0, owner, rows)
    weights = (START_SCALE * means / means.norm(dim=1, keepdim=True).clamp_min(1e-6)).requires_grad_()
    balance = len(owner) / people / torch.bincount(owner, minlength=people).clamp_min(1).to(rows)
    optimiser = torch.optim.LBFGS(
        [weights], max_iter=setting.steps, max_eval=2 * setting.steps, history_size=8, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        fit = cross_entropy(rows @ weights.T, owner, balance, reduction="sum")
        total = (fit + setting.decay / 2 * weights.square().sum()) / len(rows)  # near 1, as the tolerances expect
        total.backward()
        return total

    if setting.steps:
        optimiser.step(loss)
    return weights.detach()


class LinearMatcher:
    """Softmax regression trained on every raw photograph of a person but the query.

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
        self, raw: Float[Tensor, "N D"], owner: Int[Tensor, "N"], gallery: Int[Tensor, "I"], seed: int
    ) -> "LinearScorer":
        """Tune on held-out training photographs, then fit on all of them."""
        rows = unit_rows(raw, "training embeddings")
        setting = self.choose(rows, owner, seed)
        return LinearScorer(fit_softmax(rows, owner, len(gallery), setting), setting)

    def choose(self, rows: Float[Tensor, "N D"], owner: Int[Tensor, "N"], seed: int) -> Setting:
        """The setting with most held-out photographs at rank 1; ties go to the simpler one."""
        train, held = hold_out(owner, self.tuning_people, seed)
        if len(held) == 0:  # one photograph each: nothing to tune on
            return self.settings[0]
        people, local = owner[train].unique(return_inverse=True)
        mates = torch.searchsorted(people, owner[held])
        hits = []
        for setting in self.settings:
            scores = rows[held] @ fit_softmax(rows[train], local, len(people), setting).T
            hits.append(int((ranks_of_mates(scores, mates) == 1).sum()))
        return self.settings[hits.index(max(hits))]


@dataclass(frozen=True)
class LinearScorer:
    """A fitted classifier, with the setting it was given."""

    weights: LinearWeights
    setting: Setting

    def __call__(self, query: Float[Tensor, "P D"]) -> Float[Tensor, "P I"]:
        return unit_rows(query, "query") @ self.weights.T


def hold_out(owner: Int[Tensor, "N"], most: int, seed: int) -> tuple[Int[Tensor, "T"], Int[Tensor, "V"]]:
    """Rows to train on and rows to validate on: one random photograph of up to `most` people who have two."""
    generator = torch.Generator().manual_seed(seed)
    by_person: dict[int, list[int]] = {}
    for row in torch.randperm(len(owner), generator=generator).tolist():
        by_person.setdefault(int(owner[row]), []).append(row)
    chosen = [rows for rows in by_person.values() if len(rows) > 1][:most]
    train = sorted(row for rows in chosen for row in rows[1:])
    return torch.tensor(train, dtype=torch.long), torch.tensor([rows[0] for rows in chosen], dtype=torch.long)

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from campro.evaluation.linear import LinearMatcher, Setting, fit_softmax, hold_out
from campro.metrics.identification import ranks_of_mates


def people(count: int, each: int, dim: int = 16, noise: float = 0.15, seed: int = 0):
    """Unit rows scattered around one direction per person."""
    rng = torch.Generator().manual_seed(seed)
    centres = torch.nn.functional.normalize(torch.randn(count, dim, generator=rng), dim=1)
    owner = torch.arange(count).repeat_interleave(each)
    rows = centres[owner] + noise * torch.randn(count * each, dim, generator=rng)
    return torch.nn.functional.normalize(rows, dim=1), owner


def test_optimum_is_that_of_scikit_learn():
    rows, owner = people(6, 8, noise=0.6)
    rows, owner = rows[5:], owner[5:]  # the first person has fewer photographs
    ours = fit_softmax(rows, owner, 6, Setting(decay=0.5, steps=300))
    theirs = LogisticRegression(C=2.0, class_weight="balanced", fit_intercept=False, tol=1e-8, max_iter=2000).fit(
        rows.double().numpy(), owner.numpy()
    )
    probabilities = (rows @ ours.T).softmax(1).numpy()
    np.testing.assert_allclose(probabilities, theirs.predict_proba(rows.double().numpy()), atol=2e-3)


def test_separable_people_are_recognised():
    rows, owner = people(30, 6)
    test = torch.arange(0, 180, 6)
    known = torch.ones(180, dtype=torch.bool)
    known[test] = False
    gallery = torch.arange(0, 150, 5)
    scorer = LinearMatcher().fit(rows[known], owner[known], gallery, seed=0)
    rank1 = (ranks_of_mates(scorer(rows[test]), owner[test]) == 1).float().mean()
    assert rank1 > 0.9  # chance is 1 / 30


def test_one_photograph_each_leaves_nothing_to_tune():
    rows, owner = people(5, 1)
    scorer = LinearMatcher(decays=(1.0,), steps=(3,)).fit(rows, owner, torch.arange(5), seed=0)
    assert scorer.setting == Setting(0.0, 0)
    assert scorer(rows).argmax(1).tolist() == list(range(5))


def test_held_out_photographs_are_not_trained_on():
    owner = torch.tensor([0, 0, 1, 2, 2, 2, 3, 3])
    train, held = hold_out(owner, most=10, seed=3)
    assert sorted(owner[held].tolist()) == [0, 2, 3]  # person 1 has a single photograph
    assert not set(train.tolist()) & set(held.tolist())
    assert len(hold_out(owner, most=2, seed=3)[1]) == 2
    assert torch.equal(held, hold_out(owner, most=10, seed=3)[1])

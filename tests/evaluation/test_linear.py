from __future__ import annotations

import numpy as np
import torch

from campro.evaluation.linear import LinearMatcher, Setting, fit_softmax, hold_out
from campro.metrics.identification import ranks_of_mates


def people(count: int, each: int, dim: int = 16, noise: float = 0.15, seed: int = 0):
    """Unit-norm embeddings scattered around one direction per person."""
    rng = torch.Generator().manual_seed(seed)
    centres = torch.nn.functional.normalize(torch.randn(count, dim, generator=rng), dim=1)
    subjects = torch.arange(count).repeat_interleave(each)
    embeddings = centres[subjects] + noise * torch.randn(count * each, dim, generator=rng)
    return torch.nn.functional.normalize(embeddings, dim=1), subjects


def test_optimum_is_that_of_scikit_learn():
    embeddings, subjects = people(6, 8, noise=0.6)
    embeddings, subjects = embeddings[5:], subjects[5:]  # the first person has fewer photographs
    ours = fit_softmax(embeddings, subjects, 6, Setting(decay=0.5, steps=300))
    from sklearn.linear_model import LogisticRegression  # slow to import

    theirs = LogisticRegression(C=2.0, class_weight="balanced", fit_intercept=False, tol=1e-8, max_iter=2000).fit(
        embeddings.double().numpy(), subjects.numpy()
    )
    probabilities = (embeddings @ ours.T).softmax(1).numpy()
    np.testing.assert_allclose(probabilities, theirs.predict_proba(embeddings.double().numpy()), atol=2e-3)


def test_separable_people_are_recognised():
    embeddings, subjects = people(30, 6)
    test = torch.arange(0, 180, 6)
    known = torch.ones(180, dtype=torch.bool)
    known[test] = False
    gallery = torch.arange(0, 150, 5)
    scorer = LinearMatcher().fit(embeddings[known], subjects[known], gallery, seed=0)
    rank1 = (ranks_of_mates(scorer(embeddings[test]), subjects[test]) == 1).float().mean()
    assert rank1 > 0.9  # chance is 1 / 30


def test_one_photograph_each_leaves_nothing_to_tune():
    embeddings, subjects = people(5, 1)
    scorer = LinearMatcher(decays=(1.0,), steps=(3,)).fit(embeddings, subjects, torch.arange(5), seed=0)
    assert scorer.setting == Setting(0.0, 0)
    assert scorer(embeddings).argmax(1).tolist() == list(range(5))


def test_held_out_photographs_are_not_trained_on():
    subjects = torch.tensor([0, 0, 1, 2, 2, 2, 3, 3])
    train, held = hold_out(subjects, most=10, seed=3)
    assert sorted(subjects[held].tolist()) == [0, 2, 3]  # person 1 has a single photograph
    assert not set(train.tolist()) & set(held.tolist())
    assert len(hold_out(subjects, most=2, seed=3)[1]) == 2
    assert torch.equal(held, hold_out(subjects, most=10, seed=3)[1])

"""Open-set, verification and linkability figures against cases worked out by hand, and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.metrics.gallery_search import search
from campro.metrics.open_set import (
    best_threshold,
    fnir_at,
    fnmr_at,
    folds_accuracy,
    identified_at,
    linkability,
    threshold_at,
)

SCORES = torch.tensor([[0.9, 0.1], [0.2, 0.6], [0.8, 0.7], [0.3, 0.4]])
NON_MATED = torch.tensor([[0.5, 0.1], [0.2, 0.3], [0.65, 0.1], [0.1, 0.05]])
FOUND = search(SCORES, torch.eye(2), torch.tensor([0, 1, 1, 1]), NON_MATED)


def test_open_set_by_hand():
    """Best non-mated scores: 0.65, 0.5, 0.3, 0.1. The third search ranks its mate second, the fourth first."""
    assert identified_at(FOUND, 0.0).tolist() == [True, False, False, False]
    assert identified_at(FOUND, 0.25).tolist() == [True, True, False, False]
    assert identified_at(FOUND, 0.5).tolist() == [True, True, False, True]
    assert float(fnir_at(FOUND, 0.25)) == 0.5


def test_ties_go_to_the_attacker():
    same = torch.full((3, 2), 0.5)
    assert identified_at(search(same, torch.eye(2), torch.tensor([0, 1, 0]), same), 0.0).all()
    assert fnmr_at(torch.tensor([0.5]), torch.tensor([0.5, 0.5]), 0.0) == 0.0


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.001, 0.01, 0.1, 0.3]))
def test_false_non_match_rate_agrees_with_the_roc(seed, fmr):
    rng = np.random.default_rng(seed)
    genuine, impostor = torch.from_numpy(rng.normal(1, 1, 400)), torch.from_numpy(rng.normal(0, 1, 500))
    labels = np.r_[np.ones(400), np.zeros(500)]
    from sklearn.metrics import roc_curve  # slow to import

    false, true, _ = roc_curve(labels, torch.cat([genuine, impostor]).numpy(), drop_intermediate=False)
    assert fnmr_at(genuine, impostor, fmr) == pytest.approx(1 - true[false <= fmr + 1e-12].max())


def test_a_threshold_is_exceeded_by_no_more_than_allowed():
    scores = torch.rand(1000, generator=torch.Generator().manual_seed(0))
    for rate in (0.0, 0.003, 0.1):
        assert float((scores > threshold_at(scores, rate)).double().mean()) <= rate


def test_ten_folds_by_hand():
    scores = torch.tensor([0.9, 0.1, 0.8, 0.3, 0.2, 0.7])
    same = torch.tensor([True, False, True, False, True, False])
    fold = torch.tensor([0, 0, 1, 1, 2, 2])
    # thresholds without folds 0, 1, 2: 0.8 (three of four right), 0.9 (as many, the first), 0.8 (all)
    # at these: both of fold 0 right; of folds 1 and 2 the non-mated pair alone
    mean, error = folds_accuracy(scores, same, fold)
    assert best_threshold(scores[:4], same[:4]) == pytest.approx(0.8)
    assert mean == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert error == pytest.approx(np.std([1, 0.5, 0.5], ddof=1) / 3**0.5)


def test_the_commoner_answer_is_not_rewarded():
    """Nine pairs of one person to one of two, and scores that say nothing: half is right, not nine tenths."""
    same = torch.tensor(([True] * 9 + [False]) * 2)
    fold = torch.tensor([0] * 10 + [1] * 10)
    assert folds_accuracy(torch.full((20,), 0.5), same, fold)[0] == 0.5


def test_linkability_at_its_ends_and_between():
    low, high = torch.linspace(0, 0.4, 1000), torch.linspace(0.6, 1, 1000)
    assert linkability(high, low) == 1.0
    assert linkability(low, low) == 0.0
    # half of the mated scores lie apart from all others: there D is 1; in the other half p_m / p_n is 1/2, so D is 0
    half = torch.cat([low[::2], high[::2]])
    assert linkability(half, low) == pytest.approx(0.5, abs=0.02)


def test_broken_scores_are_refused():
    with pytest.raises(CamproError):
        fnmr_at(torch.tensor([float("nan")]), torch.tensor([0.1]), 0.1)
    with pytest.raises(CamproError):
        threshold_at(torch.tensor([]), 0.1)

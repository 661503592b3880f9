"""The comparison of raw with inverted faces, by hand."""

from __future__ import annotations

import pytest
import torch

from campro.paper.fig_4 import compare


def test_shares_above_both_thresholds():
    raw = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    inverted = torch.tensor([[0.6, 0.8], [0.28, 0.96], [1.0, 0.0]])
    found = compare(raw, inverted, torch.tensor([0, 0, 1]))
    assert found.mean_cosine == pytest.approx((0.6 + 0.28 + 0.0) / 3)
    assert found.above_paper.mean == pytest.approx(1 / 3)  # 0.6 alone is above 0.409
    assert found.own_threshold == 0.0  # two people, orthogonal
    assert found.above_own.mean == 1.0

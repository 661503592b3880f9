"""Schedules against torch's own, and at their ends."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR

from campro.training.schedules import cosine, set_learning_rate, warmup_then_cosine


def rates(make, steps):
    """Learning rates of one of torch's schedulers."""
    optimiser = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=2e-4)
    scheduler = make(optimiser)
    found = []
    for _ in range(steps):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return found


def test_cosine_is_that_of_torch():
    assert [2e-4 * cosine(step, 30) for step in range(30)] == pytest.approx(
        rates(lambda optimiser: CosineAnnealingLR(optimiser, 30), 30)
    )


def test_set_learning_rate_replaces_a_scheduler():
    """To the last bit, in all groups."""
    optimiser = torch.optim.SGD([{"params": nn.Linear(1, 1).parameters()} for _ in range(2)], lr=1.0)
    expected = rates(lambda optimiser: LambdaLR(optimiser, lambda step: warmup_then_cosine(step, 57)), 57)
    for step, rate in enumerate(expected):
        set_learning_rate(optimiser, 2e-4 * warmup_then_cosine(step, 57))
        assert [group["lr"] for group in optimiser.param_groups] == [rate, rate]


@pytest.mark.parametrize("steps", [1, 7, 300])
def test_warmup(steps):
    factors = [warmup_then_cosine(step, steps) for step in range(steps)]
    warm = max(1, steps // 10)
    assert factors[0] == pytest.approx(1 / warm)
    assert factors[warm:] == pytest.approx([cosine(step, steps) for step in range(warm, steps)])
    assert max(factors) <= 1
    assert warmup_then_cosine(steps, steps) == pytest.approx(0)

"""Gradient steps against torch's own, and what a loss that is not finite does."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from campro.training.gradient_steps import clip_gradients, gradient_step


def parts():
    """Two modules with an optimiser each."""
    modules = [nn.Linear(3, 2), nn.Linear(3, 2)]
    return modules, [torch.optim.Adam(module.parameters(), lr=0.1) for module in modules]


def loss_of(modules, scale=1.0):
    one, other = modules
    return scale * (one(torch.arange(3.0)).square().sum() + 3 * other(torch.ones(3)).square().sum())


@pytest.mark.parametrize("max_norm", [None, 0.1])
def test_a_step_is_torchs_own(max_norm):
    """To the last bit; each optimiser has its own norm."""
    modules, optimisers = parts()
    others = deepcopy(modules)
    for _ in range(3):
        assert gradient_step(loss_of(modules), optimisers, max_norm)
    plain = [torch.optim.Adam(module.parameters(), lr=0.1) for module in others]
    for _ in range(3):
        for optimiser in plain:
            optimiser.zero_grad()
        loss_of(others).backward()
        for module, optimiser in zip(others, plain):
            if max_norm is not None:
                nn.utils.clip_grad_norm_(module.parameters(), max_norm)
            optimiser.step()
    for module, other in zip(modules, others):
        assert torch.equal(module.weight, other.weight)


def test_clipping_by_hand():
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.grad = torch.tensor([[3.0, 4.0]])
    clip_gradients(torch.optim.SGD(layer.parameters()), 10.0)
    assert layer.weight.grad.tolist() == [[3.0, 4.0]]
    clip_gradients(torch.optim.SGD(layer.parameters()), 1.0)
    assert layer.weight.grad[0].tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_changes_nothing(scale):
    modules, optimisers = parts()
    assert gradient_step(loss_of(modules), optimisers)
    before = deepcopy([module.state_dict() for module in modules])
    gradient = modules[0].weight.grad.clone()
    assert not gradient_step(loss_of(modules, scale), optimisers)
    assert torch.equal(modules[0].weight.grad, gradient)
    for module, state in zip(modules, before):
        assert torch.equal(module.weight, state["weight"])


def test_the_caller_may_bring_its_own_backward_and_clipping():
    modules, optimisers = parts()
    calls = []

    def backward(loss):
        calls.append("backward")
        loss.backward()

    gradient_step(loss_of(modules), optimisers, 2.0, backward, lambda optimiser, norm: calls.append(norm))
    assert calls == ["backward", 2.0, 2.0]

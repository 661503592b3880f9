"""Averaged weights against torch's own average, and by hand."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from campro.training.weight_average import WeightAverage, constant_share, copied_state


def network():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.PReLU(), nn.Flatten(), nn.Linear(8 * 36, 5))


def train(module, steps):
    """Yields after each step."""
    optimiser = torch.optim.Adam(module.parameters(), lr=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        module(torch.rand(4, 3, 8, 8)).square().mean().backward()
        optimiser.step()
        yield


def test_a_constant_share_is_torchs_exponential_average():
    """To the last bit, with the newest buffers."""
    module = network()
    average, other = (
        WeightAverage(module, constant_share(0.98)),
        AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(0.98)),
    )
    for _ in train(module, 20):
        average.update(module)
        other.update_parameters(module)
    expected = other.module.state_dict()
    assert average.state.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in average.state.items())
    assert torch.equal(average.state["1.running_mean"], module[1].running_mean)
    assert not torch.equal(average.state["0.weight"], module[0].weight)


def test_shares_and_buffers_by_hand():
    module = nn.BatchNorm1d(1)
    average = WeightAverage(module, lambda updates: (0.5, 0.25)[updates], average_buffers=True)
    for weight, mean, batches in ((3.0, 4.0, 7), (6.0, 8.0, 9)):
        with torch.no_grad():
            module.weight.fill_(weight)
        module.running_mean.fill_(mean)
        module.num_batches_tracked.fill_(batches)
        average.update(module)
    assert average.state["weight"].item() == pytest.approx(0.75 * (0.5 * 1 + 0.5 * 3) + 0.25 * 6)
    assert average.state["running_mean"].item() == pytest.approx(0.75 * (0.5 * 0 + 0.5 * 4) + 0.25 * 8)
    assert average.state["num_batches_tracked"].item() == 9  # integers are not averaged
    assert average.updates == 2


def test_the_average_is_apart_from_the_network():
    module = network()
    before = copied_state(module)
    average = WeightAverage(module, constant_share(0.5))
    for _ in train(module, 1):
        pass
    assert all(torch.equal(value, before[name]) for name, value in average.state.items())
    shown = deepcopy(module)
    shown.load_state_dict(average.state)
    assert torch.equal(shown[0].weight, before["0.weight"])

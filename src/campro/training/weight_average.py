"""Exponential moving average of the weights of a network in training (Polyak and Juditsky, 1992)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

State = dict[str, Tensor]
"""A state dict of a module."""


def copied_state(module: nn.Module) -> State:
    """A copy of the state dict, which further training does not change."""
    return {name: value.clone() for name, value in module.state_dict().items()}


class WeightAverage:
    """The running average of a module's weights; load `state` into a module to use it."""

    def __init__(self, module: nn.Module, share: Callable[[int], float], average_buffers: bool = False) -> None:
        """Start with the current weights.

        Args:
            module: the network in training.
            share: the weight in (0, 1] of the newest weights in the average, by the number of earlier updates.
            average_buffers: whether floating-point buffers, such as statistics of batch normalisation, are averaged
                like weights; else the average has the newest ones. Integer buffers are always the newest.
        """
        self.state = copied_state(module)
        self.updates = 0
        self._share, self._average_buffers = share, average_buffers

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the weights after one more step: average += share * (weights - average)."""
        share = self._share(self.updates)
        parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
        for name, value in module.state_dict().items():
            averages = value.is_floating_point() and (self._average_buffers or name in parameters)
            if averages and share < 1:
                self.state[name].lerp_(value, share)
            else:
                self.state[name].copy_(value)
        self.updates += 1

    @torch.no_grad()
    def load(self, state: State, updates: int) -> None:
        """Continue with a saved average, which has taken in the weights after `updates` steps."""
        for name, value in state.items():
            self.state[name].copy_(value)
        self.updates = updates


def constant_share(memory: float) -> Callable[[int], float]:
    """Decay `memory` in [0, 1); the first update replaces the initial weights, as in `torch.optim.swa_utils`."""
    return lambda updates: 1 - memory if updates else 1.0


def falling_share(last: float) -> Callable[[int], float]:
    """A share that falls from 0.9 to `last`: the average forgets the first steps, and later becomes long.

    >>> share = falling_share(0.02)
    >>> share(0), share(8), share(1000)
    (0.9, 0.5, 0.02)
    """
    return lambda updates: max(last, 9 / (10 + updates))

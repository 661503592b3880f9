"""One step of gradient descent, with a check of the loss and clipped gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Clip = Callable[[Optimizer, float], object]


def clip_gradients(optimiser: Optimizer, max_norm: float) -> None:
    """Scale the gradients of an optimiser's parameters to a joint L2 norm of at most `max_norm`."""
    parameters = [weight for group in optimiser.param_groups for weight in group["params"]]
    nn.utils.clip_grad_norm_(parameters, max_norm)


def gradient_step(
    loss: Tensor,
    optimisers: Sequence[Optimizer],
    max_norm: float | None = None,
    backward: Callable[[Tensor], object] = Tensor.backward,
    clip: Clip = clip_gradients,
) -> bool:
    """Step all optimisers by the gradient of `loss`; False if the loss is not finite: then nothing was changed.

    Args:
        loss: a scalar.
        optimisers: of disjoint sets of parameters.
        max_norm: largest gradient norm of each optimiser; None: gradients are not clipped.
        backward: `fabric.backward` in a loop that uses Fabric.
        clip: clips the gradients of one optimiser; see `clip_gradients`.
    """
    if not torch.isfinite(loss):
        return False
    for optimiser in optimisers:
        optimiser.zero_grad()
    backward(loss)
    for optimiser in optimisers:
        if max_norm is not None:
            clip(optimiser, max_norm)
        optimiser.step()
    return True

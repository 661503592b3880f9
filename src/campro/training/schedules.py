"""Learning-rate schedules: pure functions from the step to a factor of the initial learning rate."""

from __future__ import annotations

import math

import numpy as np
from torch.optim import Optimizer


def cosine(step: int, steps: int) -> float:
    """From 1 at step 0 to 0 at `steps`, along half a cosine (Loshchilov and Hutter, ICLR 2017, without restarts).

    >>> cosine(0, 10), cosine(5, 10), cosine(10, 10)
    (1.0, 0.5, 0.0)
    """
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def warmup_then_cosine(step: int, steps: int) -> float:
    """Linear warm-up over the first tenth of `steps`, at most the cosine, which falls to 0 at `steps`.

    The order of the operations is that of earlier adaptations, whose results it must repeat to the last bit.

    >>> warmup_then_cosine(0, 100), warmup_then_cosine(50, 100)
    (0.1, 0.5)
    """
    warm = max(1, steps // 10)
    return float(min((step + 1) / warm, 0.5 * (1 + np.cos(np.pi * min(step / max(steps, 1), 1.0)))))


def set_learning_rate(optimiser: Optimizer, rate: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimiser.param_groups:
        group["lr"] = rate

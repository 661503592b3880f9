"""What a face detector on raw pictures teaches a network that sees captured ones.

Where faces are is one bit a cell, and a network soon knows the cells of its photographs by heart. What a detector
that has seen many more photographs makes of every cell is dozens of numbers, which only a network that sees the same
things can guess (hints: Romero et al., FitNets, ICLR 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.types import Images
from campro.inversion.cell_grid import MULTIPLE

Features = Sequence[Float[Tensor, "B C h w"]]
Teacher = Callable[[Images], Features]
"""From raw pictures, whose sides are multiples of MULTIPLE, to features at several sizes."""


class Hints(nn.Module):
    """Guesses the teacher's features from those of the network, of so many channels at the same sizes."""

    def __init__(self, teacher: Teacher, widths: Sequence[int]) -> None:
        super().__init__()
        self._teacher = teacher
        taught = teacher(torch.zeros(1, 3, MULTIPLE, MULTIPLE))
        self.guess = nn.ModuleList(
            nn.Conv2d(width, part.shape[1], 1) for width, part in zip(widths, taught, strict=True)
        )

    def loss(self, seen: Features, raw: Images) -> Float[Tensor, ""]:
        """Mean squared error of the guesses; 1 where only the mean of each channel is guessed.

        `raw` is what `Teacher` takes.
        """
        taught = self._teacher(raw)
        errors = [
            F.mse_loss(guess(part), F.batch_norm(wanted, None, None, training=True))
            for guess, part, wanted in zip(self.guess, seen, taught, strict=True)
        ]
        return torch.stack(errors).mean()

"""Feature distillation from a face detector on raw pictures to a network that gets captured pictures.

The face mask is one bit a cell, and a network soon memorises it for its training photographs. A detector that was
trained on many more photographs gives dozens of features a cell as a further target, which generalise better.

Source: Romero et al., FitNets: Hints for Thin Deep Nets, ICLR 2015.
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
"""The detector: raw pictures (B, 3, H, W), sides multiples of MULTIPLE, to features at several scales."""


class DetectorDistillation(nn.Module):
    """Predicts the detector's features from the features of the trained network, by one 1 x 1 convolution per scale."""

    def __init__(self, teacher: Teacher, widths: Sequence[int]) -> None:
        """`widths` are the numbers of channels of the network's features, at the same scales as the teacher's.

        Raises:
            ValueError: if the numbers of scales differ.
        """
        super().__init__()
        self._teacher = teacher
        targets = teacher(torch.zeros(1, 3, MULTIPLE, MULTIPLE))
        self.heads = nn.ModuleList(
            nn.Conv2d(width, part.shape[1], 1) for width, part in zip(widths, targets, strict=True)
        )

    def loss(self, features: Features, raw: Images) -> Float[Tensor, ""]:
        """Mean squared error of the predictions, relative to the variance of each target channel in the batch.

        It is 1 for a constant prediction of each channel's mean. `raw` are the raw pictures, padded as for `Teacher`.
        """
        targets = self._teacher(raw)
        errors = [
            F.mse_loss(head(part), F.batch_norm(target, None, None, training=True))
            for head, part, target in zip(self.heads, features, targets, strict=True)
        ]
        return torch.stack(errors).mean()

"""What an enhancer is: a network from captured to enhanced pictures, with the loss that trains it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from campro.core.types import Images, Rgb8
from campro.enhance.colours import Coloured
from campro.enhance.detector_distillation import Teacher
from campro.enhance.enhancement_losses import Sample, enhancement_loss
from campro.isp import Camera, IspProfile


def as_captured(rgb: Rgb8) -> Coloured:
    """The picture, as if each colour had been one raw colour alone."""
    return Coloured(rgb, np.zeros(rgb.shape[:2], np.uint8), as_made=False)


class Enhancer(nn.Module):
    """Base of all enhancers: pictures of any size in [0, 1] in, the same size out."""

    lr = 3e-4
    """Learning rate that it is trained at, unless told otherwise: the paper's."""

    def prepare(self, photos: Sequence[Path], camera: Camera, teacher: Teacher | None = None) -> None:
        """Start from what training photographs, the camera and a teacher tell before any step; nothing by default."""

    def colours(self, profile: IspProfile) -> Callable[[Rgb8], Coloured]:
        """What it wants to learn from beside the captured picture, as its samples hold it; that picture by default."""
        return as_captured

    def finish(self, samples: Iterable[Sample]) -> None:
        """Called once after training, with samples that it has not seen; nothing by default."""

    def forward(self, captured: Images) -> Images:
        """Enhanced pictures; may overshoot [0, 1] in training."""
        raise NotImplementedError

    def loss(self, sample: Sample) -> Float[Tensor, ""]:
        """Training loss (eq. 7)."""
        return enhancement_loss(self(sample.captured), sample.raw, sample.background)

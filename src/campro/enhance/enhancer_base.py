"""Base class of enhancers: a network from captured to enhanced pictures, with the loss that trains it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from campro.core.types import Images, Rgb8
from campro.enhance.detector_distillation import Teacher
from campro.enhance.enhancement_losses import Sample, enhancement_loss
from campro.enhance.recolouring import Recoloured, without_recolouring
from campro.isp import Camera, IspProfile


class Enhancer(nn.Module):
    """Base of all enhancers: pictures (B, 3, H, W) of any size in [0, 1] to pictures of the same size.

    A subclass implements `forward`, and overrides the other methods where it needs them.
    """

    lr = 3e-4
    """Learning rate of training; the default is the paper's."""

    def prepare(self, photos: Sequence[Path], camera: Camera, teacher: Teacher | None = None) -> None:
        """Called once before training, with training photographs, the camera, and a face detector for distillation.

        The default does nothing.
        """

    def recolouring(self, profile: IspProfile) -> Callable[[Rgb8], Recoloured]:
        """The function that makes `Sample.recoloured` from a captured picture; by default the picture is unchanged."""
        return without_recolouring

    def finish(self, samples: Iterable[Sample]) -> None:
        """Called once after training, with samples that were not trained on. The default does nothing."""

    def forward(self, captured: Images) -> Images:
        """Enhanced pictures; values may leave [0, 1] in training.

        Raises:
            NotImplementedError: in this base class.
        """
        raise NotImplementedError

    def loss(self, sample: Sample) -> Float[Tensor, ""]:
        """Training loss (eq. 7)."""
        return enhancement_loss(self(sample.captured), sample.raw, sample.background)

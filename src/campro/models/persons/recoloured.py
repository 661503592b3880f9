"""A 3D LUT between a camera and a person detector, which maps the camera's colours back towards raw colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.hashing import tensors_sha256
from campro.core.images import to_rgb8, to_tensor
from campro.core.lut3d import Lut3d
from campro.core.types import Detections, Images, Rgb8
from campro.models.persons.person_detector import TrainableDetector


class LutTransform:
    """A 3D LUT as an `ImageTransform`."""

    def __init__(self, lut: Lut3d) -> None:
        self.name, self.digest = "recolour", tensors_sha256(lut.state_dict())
        self.lut = lut

    def __call__(self, rgb: Rgb8) -> Rgb8:
        with torch.no_grad():
            # the clamp removes rounding errors of the interpolation
            return to_rgb8(self.lut(to_tensor(rgb)).clamp(0, 1))[0]


class RecolouredDetector(TrainableDetector):
    """A detector that first maps the colours of each image by a 3D LUT; video hardware commonly has one."""

    def __init__(self, lut: Lut3d, inner: TrainableDetector) -> None:
        super().__init__(replace(inner.card, name=f"{inner.card.name}, recoloured"))
        self.table, self.inner = lut, inner  # the name "table" is part of the keys of state_dict

    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """See `PersonDetector.detect`."""
        return self.inner.detect([self._recoloured(picture[None])[0] for picture in images])

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """See `PersonDetector.loss`."""
        return self.inner.loss(self._recoloured(images), truth)

    def calibrate(self, images: Images) -> None:
        """See `TrainableDetector.calibrate`."""
        self.inner.calibrate(images)

    def imitate(self, images: Images, raw: Images, model: TrainableDetector) -> Float[Tensor, ""]:
        """See `TrainableDetector.imitate`."""
        return self.inner.imitate(self._recoloured(images), raw, model)

    def adaptation_loss(
        self, images: Images, raw: Images, model: TrainableDetector, truth: Sequence[Detections]
    ) -> Float[Tensor, ""]:
        """See `TrainableDetector.adaptation_loss`."""
        return self.inner.adaptation_loss(self._recoloured(images), raw, model, truth)

    def _recoloured(self, images: Images) -> Images:
        return self.table(images).clamp(0, 1)  # the clamp removes rounding errors of the interpolation

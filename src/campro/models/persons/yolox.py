"""YOLOX as a person detector: letterboxing, decoding, non-maximum suppression, and its training losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from campro.core.types import Detections, Images
from campro.models.persons.letterbox import fit_truth, letterbox, suppress
from campro.models.persons.person_detector import (
    MIN_SCORE,
    DetectorCard,
    TrainableDetector,
    check_truth,
    checked_images,
)
from campro.models.persons.yolox_cells import Cells, decode_cells
from campro.models.persons.yolox_loss import imitation_loss, yolox_loss
from campro.models.persons.yolox_net import YoloxNet, YoloxShape
from campro.models.persons.yolox_weights import restore_scales

NMS_IOU = 0.65
"""Overlap above which the box of lower score is removed (the value of YOLOX's own evaluation)."""
BATCH = 8
"""Images that `detect` passes through the network at once; each needs some 30 MB of activations."""


class YoloxDetector(TrainableDetector):
    """A YOLOX network that reports persons only.

    With `frozen`, the statistics of batch normalisation stay fixed in training mode too. In weights read from ONNX
    they are folded into the convolutions; `calibrate` replaces them by the statistics of raw images, which then stay
    fixed: the statistics of a few small batches are less accurate.
    """

    def __init__(self, card: DetectorCard, shape: YoloxShape, frozen: bool = False) -> None:
        super().__init__(card)
        self.frozen = frozen
        self.net = YoloxNet(shape)

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen batch norms stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def calibrate(self, images: Images) -> None:
        """See `TrainableDetector.calibrate`."""
        restore_scales(self.net, self._fitted(images).flip(1) * 255)
        self.frozen = True

    def cells(self, letterboxed: Images) -> Cells:
        """Decoded predictions for images (B, 3, H, W) in [0, 1] whose height and width are multiples of 32."""
        raw = self.net(letterboxed.flip(1) * 255)  # the network takes BGR, 0 to 255
        return decode_cells(raw, letterboxed.shape[2], letterboxed.shape[3])

    @torch.no_grad()
    def detect(
        self, images: Images | Sequence[Float[Tensor, "3 H W"]], *, min_score: float = MIN_SCORE
    ) -> list[Detections]:
        """Detections of score above `min_score`; see `PersonDetector.detect`.

        Raises:
            CamproError: if an image has another shape, or values outside [0, 1].
        """
        pictures = checked_images(images, self.card.name)
        training = self.training
        self.eval()
        try:
            detections = []
            for start in range(0, len(pictures), BATCH):
                batch = pictures[start : start + BATCH]
                cells = self.cells(letterbox(batch, self.card.size))
                outputs = zip(batch, cells.boxes, cells.scores(), strict=True)
                detections += [self._persons(picture, boxes, scores, min_score) for picture, boxes, scores in outputs]
            return detections
        finally:
            self.train(training)

    def _persons(self, picture: Tensor, boxes: Tensor, scores: Tensor, min_score: float) -> Detections:
        kept = scores > min_score
        return suppress(picture, boxes[kept], scores[kept], self.card.size, NMS_IOU)

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """YOLOX's loss for the person class; see `PersonDetector.loss`.

        Raises:
            CamproError: if the number of images and of ground truths differ, or a box is not finite.
        """
        return yolox_loss(self.cells(self._fitted(images)), self._fitted_truth(images, truth))

    def imitate(self, images: Images, raw: Images, model: TrainableDetector) -> Float[Tensor, ""]:
        """Compare the outputs cell by cell if `model` is a YOLOX too; see `TrainableDetector.imitate`."""
        if not isinstance(model, YoloxDetector) or images.shape[2:] != raw.shape[2:]:
            return super().imitate(images, raw, model)
        return imitation_loss(self.cells(self._fitted(images)), self._targets(raw, model))

    def adaptation_loss(
        self, images: Images, raw: Images, model: TrainableDetector, truth: Sequence[Detections]
    ) -> Float[Tensor, ""]:
        """Both losses by one pass of the network if `model` is a YOLOX too.

        See `TrainableDetector.adaptation_loss`.

        Raises:
            CamproError: as `loss`.
        """
        if not isinstance(model, YoloxDetector) or images.shape[2:] != raw.shape[2:]:
            return super().adaptation_loss(images, raw, model, truth)
        cells = self.cells(self._fitted(images))
        labelled = yolox_loss(cells, self._fitted_truth(images, truth))
        return labelled + imitation_loss(cells, self._targets(raw, model))

    @torch.no_grad()
    def _targets(self, raw: Images, model: YoloxDetector) -> Cells:
        return model.cells(self._fitted(raw))

    def _fitted_truth(self, images: Images, truth: Sequence[Detections]) -> list[Detections]:
        check_truth(images, truth, self.card.name)
        height, width = images.shape[2:]
        if (height, width) == self.card.size:
            return list(truth)
        return [fit_truth(boxes, height, width, self.card.size) for boxes in truth]

    def _fitted(self, images: Images) -> Images:
        return images if tuple(images.shape[2:]) == self.card.size else letterbox(list(images), self.card.size)

"""YOLOX as a person detector: letterboxing, decoding, suppression, and its training loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from campro.core.types import Detections, Images
from campro.models.persons.letterbox import finds, fit_truth, letterbox
from campro.models.persons.person_detector import MIN_SCORE, DetectorCard, TrainableDetector, as_list, check_truth
from campro.models.persons.yolox_loss import imitation_loss, yolox_loss
from campro.models.persons.yolox_net import STRIDES, YoloxNet, YoloxShape
from campro.models.persons.yolox_weights import restore_scales

PERSON = 0
"""COCO's first class, and the only one of a person-only head."""
NMS_IOU = 0.65
"""Overlap above which the weaker of two boxes goes (YOLOX's own evaluation)."""
BATCH = 8
"""Pictures that `detect` passes through the network at once: small, since each needs some 30 MB of activations."""


class Cells(NamedTuple):
    """Predictions of one person class, decoded: a row per cell."""

    boxes: Float[Tensor, "B cells 4"]
    """(x0, y0, x1, y1) in input pixels."""
    objectness: Float[Tensor, "B cells"]
    """Logit."""
    person: Float[Tensor, "B cells"]
    """Logit."""
    centres: Float[Tensor, "cells 2"]
    """Middle of each cell, in input pixels."""
    strides: Float[Tensor, "cells"]

    def scores(self) -> Float[Tensor, "B cells"]:
        """Confidence that a person is there."""
        return self.objectness.sigmoid() * self.person.sigmoid()


class YoloxDetector(TrainableDetector):
    """A YOLOX network that reports persons only.

    With `frozen`, batch-norm statistics stay as they are even in training mode. Weights read from ONNX have theirs
    folded in; `calibrate` gives them the statistics of raw pictures, and there they stay: those of a few small
    batches are worse.
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
        """Ready for training on a camera's pictures; see `TrainableDetector.calibrate`."""
        restore_scales(self.net, self._fitted(images).flip(1) * 255)
        self.frozen = True

    def cells(self, letterboxed: Images) -> Cells:
        """Decoded predictions for pictures that already have a size in multiples of 32."""
        raw = self.net(letterboxed.flip(1) * 255)
        grid, strides = cell_grid(letterboxed.shape[2], letterboxed.shape[3], raw.device)
        middle = (raw[..., :2] + grid) * strides[:, None]
        half = raw[..., 2:4].exp() * strides[:, None] / 2
        boxes = torch.cat([middle - half, middle + half], 2)
        return Cells(boxes, raw[..., 4], raw[..., 5 + PERSON], (grid + 0.5) * strides[:, None], strides)

    @torch.no_grad()
    def detect(
        self, images: Images | Sequence[Float[Tensor, "3 H W"]], *, min_score: float = MIN_SCORE
    ) -> list[Detections]:
        """Persons in each image, best first; see `PersonDetector.detect`."""
        pictures = as_list(images, self.card.name)
        training = self.training
        self.eval()
        try:
            found = []
            for start in range(0, len(pictures), BATCH):
                some = pictures[start : start + BATCH]
                cells = self.cells(letterbox(some, self.card.size))
                rows = zip(some, cells.boxes, cells.scores(), strict=True)
                found += [self._people(picture, boxes, scores, min_score) for picture, boxes, scores in rows]
            return found
        finally:
            self.train(training)

    def _people(self, picture: Tensor, boxes: Tensor, scores: Tensor, min_score: float) -> Detections:
        sure = scores > min_score
        boxes, scores = boxes[sure], scores[sure]
        return finds(picture, boxes, scores, self.card.size, NMS_IOU)

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """YOLOX's loss for the person class; see `PersonDetector.loss`."""
        check_truth(images, truth, self.card.name)
        height, width = images.shape[2:]
        if (height, width) != self.card.size:
            truth = [fit_truth(one, height, width, self.card.size) for one in truth]
        return yolox_loss(self.cells(self._fitted(images)), truth)

    def imitate(self, images: Images, raw: Images, model: TrainableDetector) -> Float[Tensor, ""]:
        """Cell by cell where the model is a YOLOX too; see `TrainableDetector.imitate`."""
        if not isinstance(model, YoloxDetector) or images.shape[2:] != raw.shape[2:]:
            return super().imitate(images, raw, model)
        with torch.no_grad():
            seen = model.cells(self._fitted(raw))
        return imitation_loss(self.cells(self._fitted(images)), seen)

    def _fitted(self, images: Images) -> Images:
        return images if tuple(images.shape[2:]) == self.card.size else letterbox(list(images), self.card.size)


def cell_grid(height: int, width: int, device: torch.device) -> tuple[Float[Tensor, "cells 2"], Float[Tensor, "cells"]]:
    """Column and row of every cell, and its stride; in the order of `flat_cells`."""
    grids, strides = [], []
    for stride in STRIDES:
        rows, columns = height // stride, width // stride
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        grids.append(torch.stack([x, y], 2).reshape(-1, 2).float())
        strides.append(torch.full((rows * columns,), float(stride)))
    return torch.cat(grids).to(device), torch.cat(strides).to(device)

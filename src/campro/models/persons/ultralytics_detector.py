"""YOLOv5, v8, v11 and related detectors of the package ultralytics (an optional extra because it is AGPL-3.0)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.boxes import box_convert
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.types import Detections, Images
from campro.models.persons.letterbox import fit_truth, letterbox, suppress
from campro.models.persons.person_detector import (
    MIN_SCORE,
    DetectorCard,
    TrainableDetector,
    check_truth,
    checked_images,
)

PERSON = 0
"""COCO's first class."""
NMS_IOU = 0.7
"""Overlap above which the box of lower score is removed (ultralytics' default)."""
GAINS = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
"""Weights of the terms of the loss: ultralytics' defaults."""


class UltralyticsDetector(TrainableDetector):
    """A detection network of ultralytics; letterbox, decoding and non-maximum suppression are those of this project."""

    def __init__(self, card: DetectorCard, net: Any) -> None:
        super().__init__(card)
        self.net: Any = net.float()
        self.net.args = GAINS  # the network's loss reads them there
        for parameter in self.net.parameters():
            parameter.requires_grad_(True)

    @torch.no_grad()
    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """See `PersonDetector.detect`.

        Raises:
            CamproError: if an image has another shape, or values outside [0, 1].
        """
        training = self.training
        self.eval()
        try:
            return [self._persons(picture) for picture in checked_images(images, self.card.name)]
        finally:
            self.train(training)

    def _persons(self, picture: Float[Tensor, "3 H W"]) -> Detections:
        output = self.net(letterbox([picture], self.card.size))
        cells = (output[0] if isinstance(output, (tuple, list)) else output)[0].T  # (cells, 4 + classes)
        scores = cells[:, 4 + PERSON]
        kept = scores > MIN_SCORE
        boxes, scores = box_convert(cells[kept, :4], "cxcywh", "xyxy"), scores[kept]
        return suppress(picture, boxes, scores, self.card.size, NMS_IOU)

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """The loss of ultralytics per image, without crowd boxes; see `PersonDetector.loss`.

        Raises:
            CamproError: if images and ground truths do not fit together.
        """
        check_truth(images, truth, self.card.name)
        height, width = images.shape[2:]
        fitted = [fit_truth(boxes, height, width, self.card.size) for boxes in truth]
        people = [image_truth.boxes[~image_truth.crowd].to(images.device) for image_truth in fitted]
        scale = images.new_tensor([self.card.size[1], self.card.size[0]]).repeat(2)
        image_index = torch.cat([torch.full((len(boxes),), float(i)) for i, boxes in enumerate(people)])
        batch = {
            "img": letterbox(list(images), self.card.size),
            "batch_idx": image_index.to(images.device),
            "cls": torch.full((len(image_index), 1), float(PERSON), device=images.device),
            "bboxes": torch.cat([box_convert(boxes, "xyxy", "cxcywh") for boxes in people]) / scale,
        }
        training = self.training
        self.train()
        try:
            total, _ = self.net.loss(batch)
        finally:
            self.train(training)
        return total.sum() / len(images)


def load_ultralytics(
    weights: Path | str | None = "auto", model: str = "yolov8n", **options: Any
) -> UltralyticsDetector:
    """A detector from a `.pt` file of ultralytics, or network `model` with random weights if `weights` is None.

    A `.pt` file of ultralytics is a pickle that runs code when it is read: use only files that you trust.

    Raises:
        CamproError: if ultralytics is not installed, or the file is missing or not a detection network.
    """
    try:
        from ultralytics import YOLO
    except ImportError as error:
        remedy = "pip install 'campro[ultralytics]', after reading its licence (AGPL-3.0)"
        raise CamproError("ultralytics", "the optional package ultralytics", "not installed", remedy) from error
    if weights == "auto":
        raise CamproError("ultralytics", "a .pt file", "no file", "name it by --detector-weights")
    if weights is not None and not Path(weights).is_file():
        raise CamproError(str(weights), "a .pt file of ultralytics", "no such file")
    try:
        net = YOLO(f"{model}.yaml" if weights is None else str(weights), task="detect", **options).model
    except Exception as error:  # damaged files raise errors of many classes
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(weights or model), "a detection network of ultralytics", reason) from error
    digest = None if weights is None else file_sha256(Path(weights))
    card = DetectorCard("ultralytics", (640, 640), "AGPL-3.0", "ultralytics", digest)
    return UltralyticsDetector(card, net).eval()

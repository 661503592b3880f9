"""YOLOv5, v8, v11 and their kin through the package ultralytics, an optional extra because of its AGPL licence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.ops import box_convert

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.types import Detections, Images
from campro.models.persons.letterbox import finds, fit_truth, letterbox
from campro.models.persons.person_detector import MIN_SCORE, DetectorCard, TrainableDetector, as_list, check_truth

PERSON = 0
NMS_IOU = 0.7
GAINS = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
"""Weights of the parts of the loss: ultralytics' defaults."""


class UltralyticsDetector(TrainableDetector):
    """A detection network that ultralytics has read; we letterbox, decode and suppress ourselves."""

    def __init__(self, card: DetectorCard, net: Any) -> None:
        super().__init__(card)
        self.net: Any = net.float()
        self.net.args = GAINS  # where the network's own loss looks for them
        for parameter in self.net.parameters():
            parameter.requires_grad_(True)

    @torch.no_grad()
    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """Persons in each picture, best first; see `PersonDetector.detect`."""
        training = self.training
        self.eval()
        try:
            return [self._people(picture) for picture in as_list(images, self.card.name)]
        finally:
            self.train(training)

    def _people(self, picture: Float[Tensor, "3 H W"]) -> Detections:
        output = self.net(letterbox([picture], self.card.size))
        rows = (output[0] if isinstance(output, (tuple, list)) else output)[0].T  # (cells, 4 + classes)
        scores = rows[:, 4 + PERSON]
        sure = scores > MIN_SCORE
        boxes, scores = box_convert(rows[sure, :4], "cxcywh", "xyxy"), scores[sure]
        return finds(picture, boxes, scores, self.card.size, NMS_IOU)

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """The network's own loss, per picture; crowd boxes are left out."""
        check_truth(images, truth, self.card.name)
        height, width = images.shape[2:]
        fitted = [fit_truth(one, height, width, self.card.size) for one in truth]
        people = [one.boxes[~one.crowd].to(images.device) for one in fitted]
        scale = images.new_tensor([self.card.size[1], self.card.size[0]]).repeat(2)
        owner = torch.cat([torch.full((len(boxes),), float(i)) for i, boxes in enumerate(people)])
        batch = {
            "img": letterbox(list(images), self.card.size),
            "batch_idx": owner.to(images.device),
            "cls": torch.full((len(owner), 1), float(PERSON), device=images.device),
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
    """A detector from a `.pt` file of ultralytics, or `model` with random weights where `weights` is None.

    A `.pt` file of ultralytics is a pickle that runs code when read: only give files that you trust.
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
    except Exception as error:  # a damaged pickle or zip can raise anything
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(weights or model), "a detection network of ultralytics", reason) from error
    digest = None if weights is None else file_sha256(Path(weights))
    card = DetectorCard("ultralytics", (640, 640), "AGPL-3.0", "ultralytics", digest)
    return UltralyticsDetector(card, net).eval()

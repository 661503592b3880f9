"""torchvision's object detectors as person detectors, by torchvision's own names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import detection, get_model, get_model_weights, list_models

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.types import Detections, Images
from campro.models.persons.person_detector import (
    MAX_BOXES,
    MIN_SCORE,
    DetectorCard,
    TrainableDetector,
    as_list,
    check_truth,
)

PERSON = 1
"""COCO's category id, which torchvision keeps."""
TORCHVISION = tuple(
    f"torchvision/{name}" for name in list_models(detection) if not name.startswith(("maskrcnn", "keypointrcnn"))
)
"""Those that learn from boxes alone; the mask and keypoint networks need more than a person box."""


class TorchvisionDetector(TrainableDetector):
    """Any of torchvision's box detectors; each resizes pictures itself, and reports and learns persons only."""

    def __init__(self, card: DetectorCard, net: nn.Module) -> None:
        super().__init__(card)
        self.net = net

    @torch.no_grad()
    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """Persons in each picture, best first; see `PersonDetector.detect`."""
        training = self.training
        self.eval()
        try:
            return [_persons(self.net([picture])[0]) for picture in as_list(images, self.card.name)]
        finally:
            self.train(training)

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """The sum of the network's own training losses; crowd boxes are left out."""
        check_truth(images, truth, self.card.name)
        if not self.training:
            raise CamproError(self.card.name, "training mode for the loss", "evaluation mode", "call .train() first")
        targets = [
            {"boxes": boxes, "labels": torch.full((len(boxes),), PERSON, device=boxes.device)}
            for boxes in (one.boxes[~one.crowd].to(images.device) for one in truth)
        ]
        losses: dict[str, Tensor] = self.net(list(images), targets)
        return torch.stack(list(losses.values())).sum()


def _persons(found: dict[str, Tensor]) -> Detections:
    kept = (found["labels"] == PERSON) & (found["scores"] > MIN_SCORE)
    boxes, scores = found["boxes"][kept][:MAX_BOXES], found["scores"][kept][:MAX_BOXES]
    return Detections(boxes, scores, torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device))


def load_torchvision(name: str) -> Callable[..., TorchvisionDetector]:
    """The factory of "torchvision/NAME": weights "auto" are torchvision's own, fetched once by torchvision."""
    plain = name.removeprefix("torchvision/")

    def make(weights: Path | str | None = "auto", **options: Any) -> TorchvisionDetector:
        own = get_model_weights(plain)
        digest = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            try:
                given = {"weights": own.DEFAULT} if weights == "auto" else {"weights": None, "weights_backbone": None}
                net = get_model(plain, **given, **options)
            except OSError as error:
                remedy = "fetch them where there is a network, then name the file by --detector-weights"
                raise CamproError(name, "torchvision's weights", str(error), remedy) from error
        if isinstance(weights, Path) or (weights is not None and weights != "auto"):
            digest = _load(net, Path(weights))
        card = DetectorCard(name, (480, 480), "BSD-3-Clause", "torchvision", digest)
        return TorchvisionDetector(card, net).eval()

    return make


def _load(net: nn.Module, path: Path) -> str:
    try:
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged pickle or zip can raise anything
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(path), "torchvision weights of this detector", reason, "get the file again") from error
    return file_sha256(path)

"""torchvision's object detectors as person detectors, under torchvision's names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.types import Detections, Images
from campro.models.persons.person_detector import (
    MAX_BOXES,
    MIN_SCORE,
    DetectorCard,
    TrainableDetector,
    check_truth,
    checked_images,
)

PERSON = 1
"""COCO's category id, which torchvision uses as the class label."""
TORCHVISION = tuple(
    f"torchvision/{name}"
    for name in (
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        "fasterrcnn_mobilenet_v3_large_fpn",
        "fasterrcnn_resnet50_fpn",
        "fasterrcnn_resnet50_fpn_v2",
        "fcos_resnet50_fpn",
        "retinanet_resnet50_fpn",
        "retinanet_resnet50_fpn_v2",
        "ssd300_vgg16",
        "ssdlite320_mobilenet_v3_large",
    )
)
"""Names of the detectors that are trained with boxes only; mask and keypoint networks need other labels too.

Not from `torchvision.models.list_models`, because importing torchvision takes seconds.
"""


class TorchvisionDetector(TrainableDetector):
    """One of torchvision's box detectors, which resize images themselves; only persons are reported and trained."""

    def __init__(self, card: DetectorCard, net: nn.Module) -> None:
        super().__init__(card)
        self.net = net

    @torch.no_grad()
    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """See `PersonDetector.detect`.

        Raises:
            CamproError: if an image has another shape, or values outside [0, 1].
        """
        training = self.training
        self.eval()
        try:
            return [_persons(self.net([picture])[0]) for picture in checked_images(images, self.card.name)]
        finally:
            self.train(training)

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """The sum of torchvision's training losses, without crowd boxes; see `PersonDetector.loss`.

        Raises:
            CamproError: in evaluation mode, or if images and ground truths do not fit together.
        """
        check_truth(images, truth, self.card.name)
        if not self.training:
            raise CamproError(self.card.name, "training mode for the loss", "evaluation mode", "call .train() first")
        targets = [
            {"boxes": boxes, "labels": torch.full((len(boxes),), PERSON, device=boxes.device)}
            for boxes in (image_truth.boxes[~image_truth.crowd].to(images.device) for image_truth in truth)
        ]
        losses: dict[str, Tensor] = self.net(list(images), targets)
        return torch.stack(list(losses.values())).sum()


def _persons(output: dict[str, Tensor]) -> Detections:
    kept = (output["labels"] == PERSON) & (output["scores"] > MIN_SCORE)
    boxes, scores = output["boxes"][kept][:MAX_BOXES], output["scores"][kept][:MAX_BOXES]
    return Detections(boxes, scores, torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device))


def load_torchvision(name: str) -> Callable[..., TorchvisionDetector]:
    """The factory of detector `name`, "torchvision/NAME".

    The factory's weights "auto" are torchvision's own, which torchvision downloads once.

    Raises:
        CamproError: By the factory, if weights are missing, damaged or of another network.
    """
    plain = name.removeprefix("torchvision/")

    def make(weights: Path | str | None = "auto", **options: Any) -> TorchvisionDetector:
        from torchvision.models import get_model, get_model_weights

        published = get_model_weights(plain)
        digest = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            try:
                given = (
                    {"weights": published.DEFAULT} if weights == "auto" else {"weights": None, "weights_backbone": None}
                )
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
    except Exception as error:  # damaged files raise errors of many classes
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(path), "torchvision weights of this detector", reason, "get the file again") from error
    return file_sha256(path)

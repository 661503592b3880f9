"""What a person detector is: a card, `detect`, and a training loss. Callers pass sRGB pictures in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float
from torch import Tensor, nn

from campro.core.checks import check_images
from campro.core.errors import CamproError
from campro.core.types import Detections, Images

MIN_SCORE = 0.001
"""Boxes below it are not reported: low enough that average precision sees the whole curve."""
MAX_BOXES = 100
"""Boxes per picture, as COCO counts them."""

UNSURE, SURE = 0.15, 0.5
"""Finds of a model detector above SURE are persons, below UNSURE nothing, between the two they are ignored."""


@dataclass(frozen=True)
class DetectorCard:
    """Facts about a detector; `size` (height, width) is the input that it is trained and measured at."""

    name: str
    size: tuple[int, int]
    licence: str
    source: str
    weights_sha256: str | None = None
    """None for random weights."""


class PersonDetector(Protocol):
    """Finds persons; owns its preprocessing (letterbox, channel order, scale). Implementations are `nn.Module`s."""

    card: DetectorCard

    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """Persons in each picture, boxes in its pixels, best first; a list may hold pictures of many sizes."""
        ...

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """Training loss, differentiable in the pictures and the weights; crowd boxes are left out."""
        ...


class TrainableDetector(nn.Module):
    """Base of all detectors here: a `PersonDetector` that is also a module."""

    def __init__(self, card: DetectorCard) -> None:
        super().__init__()
        self.card = card

    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """See `PersonDetector.detect`."""
        raise NotImplementedError

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """See `PersonDetector.loss`."""
        raise NotImplementedError

    def calibrate(self, images: Images) -> None:
        """Get ready for training, given raw pictures; must not change what the detector finds. Nothing by default."""

    def imitate(self, images: Images, raw: Images, model: TrainableDetector) -> Float[Tensor, ""]:
        """Training loss without labels: see in `images` what `model` sees in the raw pictures of the same scenes.

        Here the model's sure boxes serve as truth; a family that can compare more than boxes does better.
        """
        return self.loss(images, [sure_finds(found) for found in model.detect(raw)])


def sure_finds(found: Detections) -> Detections:
    """Finds as truth; doubtful ones become regions that count neither way."""
    known = found.scores >= UNSURE
    return Detections.truth(found.boxes[known], found.scores[known] < SURE)


def as_list(images: Images | Sequence[Tensor], who: str) -> list[Float[Tensor, "3 H W"]]:
    """Pictures one by one, each checked."""
    pictures = list(images)
    for picture in pictures:
        check_images(picture[None], who)
    return pictures


def check_truth(images: Images, truth: Sequence[Detections], who: str) -> None:
    """One finite ground truth per picture."""
    if len(images) != len(truth):
        raise CamproError(who, f"truth for {len(images)} pictures", f"{len(truth)}")
    if not all(one.boxes.isfinite().all() for one in truth):
        raise CamproError(who, "finite boxes", "NaN or infinity")

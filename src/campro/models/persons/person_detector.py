"""The interface of person detectors: a card, `detect`, and a training loss."""

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
"""Detections of lower score are not reported; so low that average precision covers the whole curve."""
MAX_BOXES = 100
"""Largest number of detections per image, as in COCO's evaluation."""

UNCERTAIN_SCORE, CONFIDENT_SCORE = 0.15, 0.5
"""Detections that serve as pseudo labels: persons from CONFIDENT_SCORE on, ignored between both, dropped below."""


@dataclass(frozen=True)
class DetectorCard:
    """Metadata of a person detector."""

    name: str
    """Name in `PERSON_DETECTORS`, in tables and in messages."""
    size: tuple[int, int]
    """Height and width, in pixels, of the input at which the detector is trained and evaluated."""
    licence: str
    """SPDX identifier of the licence of code and weights."""
    source: str
    """Paper or package that the network comes from."""
    weights_sha256: str | None = None
    """SHA-256 of the weight file; None for random weights."""


class PersonDetector(Protocol):
    """Detects persons. Implementations are subclasses of `TrainableDetector`, which is an `nn.Module`.

    Callers pass sRGB images in the channel order red, green, blue with values in [0, 1], of any size. The detector
    does all preprocessing itself: resizing or letterboxing, channel order, scale.
    """

    card: DetectorCard

    def detect(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[Detections]:
        """Detect persons, without gradients.

        Args:
            images: a batch (B, 3, H, W), or a sequence of B images (3, H, W) that may differ in size; in [0, 1].

        Returns:
            One `Detections` per image, in the order of `images`: boxes (x0, y0, x1, y1) in pixels of that image,
            scores in [0, 1] in falling order, no crowd marks, at most `MAX_BOXES`, all scores above `MIN_SCORE`.
            The training or evaluation mode is as before the call.

        Raises:
            CamproError: if an image has another shape, or values that are not in [0, 1].
        """
        ...

    def loss(self, images: Images, truth: Sequence[Detections]) -> Float[Tensor, ""]:
        """Training loss: a scalar that is differentiable with respect to the images and the weights.

        Args:
            images: (B, 3, H, W), sRGB in [0, 1].
            truth: B ground truths, boxes (x0, y0, x1, y1) in pixels of the images. Boxes marked `crowd` are regions
                in which detections are neither correct nor false.

        Raises:
            CamproError: if the number of images and of ground truths differ, or a box is not finite.
        """
        ...


class TrainableDetector(nn.Module):
    """Base class of all person detectors: a `PersonDetector` that is also an `nn.Module`.

    A subclass must define `detect` and `loss`; `calibrate`, `imitate` and `adaptation_loss` have defaults.
    """

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
        """Prepare the network for training, given raw images (B, 3, H, W) in [0, 1]. By default nothing is done.

        Must not change the detections in evaluation mode.
        """

    def imitate(self, images: Images, raw: Images, model: TrainableDetector) -> Float[Tensor, ""]:
        """Training loss without labels: the detections of `model` on the raw images are the target.

        Args:
            images: (B, 3, H, W) in [0, 1], what the camera outputs for the scenes.
            raw: (B, 3, H, W) in [0, 1], raw images of the same scenes, equally placed.
            model: the teacher; gets no gradients.

        The default takes the teacher's confident detections as ground truth. A subclass may compare more than boxes.
        """
        return self.loss(images, [confident_detections(detections) for detections in model.detect(raw)])

    def adaptation_loss(
        self, images: Images, raw: Images, model: TrainableDetector, truth: Sequence[Detections]
    ) -> Float[Tensor, ""]:
        """`imitate` plus `loss`; a subclass may compute the network's output once for both."""
        return self.imitate(images, raw, model) + self.loss(images, truth)


def confident_detections(detections: Detections) -> Detections:
    """Detections as pseudo ground truth: those of medium score become crowd regions, those of low score are dropped."""
    kept = detections.scores >= UNCERTAIN_SCORE
    return Detections.truth(detections.boxes[kept], detections.scores[kept] < CONFIDENT_SCORE)


def checked_images(images: Images | Sequence[Tensor], caller: str) -> list[Float[Tensor, "3 H W"]]:
    """The images as a list.

    Raises:
        CamproError: if an image is not (3, H, W), or has values outside [0, 1].
    """
    pictures = list(images)
    for picture in pictures:
        check_images(picture[None], caller)
    return pictures


def check_truth(images: Images, truth: Sequence[Detections], caller: str) -> None:
    """Refuse ground truth that does not fit the images.

    Raises:
        CamproError: if the number of images and of ground truths differ, or a box is not finite.
    """
    if len(images) != len(truth):
        raise CamproError(caller, f"truth for {len(images)} images", f"{len(truth)}")
    if not all(boxes.boxes.isfinite().all() for boxes in truth):
        raise CamproError(caller, "finite boxes", "NaN or infinity")

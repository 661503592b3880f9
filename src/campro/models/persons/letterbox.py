"""Fit images of any size into a detector's input: scaled to fit, placed top left, the rest filled with gray."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from campro.core.boxes import nms
from campro.core.types import Detections, Images
from campro.models.persons.person_detector import MAX_BOXES

GREY = 114 / 255
"""Padding colour of YOLOX."""


def fit_scale(height: int, width: int, size: tuple[int, int]) -> float:
    """The largest factor at which an image of `height` x `width` pixels fits into `size` (H, W).

    >>> fit_scale(200, 100, (50, 50))
    0.25
    """
    return min(size[0] / height, size[1] / width)


def fitted(height: int, width: int, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the fitted image in pixels: rounded down, but at least one pixel.

    >>> fitted(200, 99, (50, 50))
    (50, 24)
    """
    scale = fit_scale(height, width, size)
    return max(1, int(height * scale)), max(1, int(width * scale))


def letterbox(pictures: Sequence[Float[Tensor, "3 _ _"]], size: tuple[int, int]) -> Images:
    """Images in [0, 1] of any size as one batch of `size` (H, W); differentiable.

    Bilinear interpolation without a low-pass filter, because YOLOX was trained on such images.
    """
    return torch.stack([_fit(picture, size) for picture in pictures])


def to_letterbox(boxes: Float[Tensor, "N 4"], scale: float) -> Float[Tensor, "N 4"]:
    """Convert boxes from pixels of the image to pixels of its letterbox."""
    return boxes * scale


def from_letterbox(boxes: Float[Tensor, "N 4"], height: int, width: int, scale: float) -> Float[Tensor, "N 4"]:
    """Convert boxes from pixels of the letterbox to pixels of the image, and clip them to it."""
    limits = boxes.new_tensor([width, height, width, height])
    return torch.minimum((boxes / scale).clamp(min=0), limits)


def suppress(
    picture: Float[Tensor, "3 _ _"],
    boxes: Float[Tensor, "N 4"],
    scores: Float[Tensor, "N"],
    size: tuple[int, int],
    overlap: float,
) -> Detections:
    """Non-maximum suppression; boxes in pixels of the letterbox become detections in pixels of the image.

    Of boxes whose intersection over union exceeds `overlap` the one of highest score is kept; of all kept boxes the
    MAX_BOXES best.
    """
    kept = nms(boxes, scores, overlap)[:MAX_BOXES]
    height, width = picture.shape[1:]
    inside = from_letterbox(boxes[kept], height, width, fit_scale(height, width, size))
    not_empty = (inside[:, 2:] > inside[:, :2]).all(1)
    return Detections(inside[not_empty], scores[kept][not_empty], torch.zeros_like(not_empty)[not_empty])


def fit_truth(truth: Detections, height: int, width: int, size: tuple[int, int]) -> Detections:
    """Convert the ground truth of an image of `height` x `width` pixels to pixels of its letterbox."""
    return Detections(to_letterbox(truth.boxes, fit_scale(height, width, size)), truth.scores, truth.crowd)


def _fit(picture: Float[Tensor, "3 _ _"], size: tuple[int, int]) -> Float[Tensor, "3 _ _"]:
    height, width = fitted(picture.shape[1], picture.shape[2], size)
    if (height, width) != tuple(picture.shape[1:]):
        picture = F.interpolate(picture[None], (height, width), mode="bilinear", align_corners=False)[0]
    return F.pad(picture, (0, size[1] - width, 0, size[0] - height), value=GREY)

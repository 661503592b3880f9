"""Fit pictures of any size into a detector's input: scaled to fit, top left, the rest grey."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import nms

from campro.core.types import Detections, Images
from campro.models.persons.person_detector import MAX_BOXES

GREY = 114 / 255
"""Padding colour of YOLOX."""


def fit_scale(height: int, width: int, size: tuple[int, int]) -> float:
    """The factor that makes a picture just fit into `size` (H, W).

    >>> fit_scale(200, 100, (50, 50))
    0.25
    """
    return min(size[0] / height, size[1] / width)


def fitted(height: int, width: int, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the fitted picture: rounded down, but at least one pixel."""
    scale = fit_scale(height, width, size)
    return max(1, int(height * scale)), max(1, int(width * scale))


def letterbox(pictures: Sequence[Float[Tensor, "3 _ _"]], size: tuple[int, int]) -> Images:
    """Pictures in [0, 1] as one batch of `size` (H, W); differentiable.

    Plain bilinear interpolation without a low-pass filter, because YOLOX was trained on such pictures.
    """
    return torch.stack([_fit(picture, size) for picture in pictures])


def to_letterbox(boxes: Float[Tensor, "N 4"], scale: float) -> Float[Tensor, "N 4"]:
    """Boxes of a picture as they lie in its letterbox."""
    return boxes * scale


def from_letterbox(boxes: Float[Tensor, "N 4"], height: int, width: int, scale: float) -> Float[Tensor, "N 4"]:
    """Boxes of a letterbox as they lie in the picture, cut at its border."""
    limits = boxes.new_tensor([width, height, width, height])
    return torch.minimum((boxes / scale).clamp(min=0), limits)


def finds(
    picture: Float[Tensor, "3 _ _"],
    boxes: Float[Tensor, "N 4"],
    scores: Float[Tensor, "N"],
    size: tuple[int, int],
    overlap: float,
) -> Detections:
    """What a network saw in the letterbox of a picture, as detections in the picture.

    Of boxes that overlap more than `overlap` the best stays (non-maximum suppression), of all the best MAX_BOXES.
    """
    kept = nms(boxes, scores, overlap)[:MAX_BOXES]
    height, width = picture.shape[1:]
    inside = from_letterbox(boxes[kept], height, width, fit_scale(height, width, size))
    solid = (inside[:, 2:] > inside[:, :2]).all(1)
    return Detections(inside[solid], scores[kept][solid], torch.zeros_like(solid)[solid])


def fit_truth(truth: Detections, height: int, width: int, size: tuple[int, int]) -> Detections:
    """Ground truth of a picture as it lies in the letterbox."""
    return Detections(to_letterbox(truth.boxes, fit_scale(height, width, size)), truth.scores, truth.crowd)


def _fit(picture: Float[Tensor, "3 _ _"], size: tuple[int, int]) -> Float[Tensor, "3 _ _"]:
    height, width = fitted(picture.shape[1], picture.shape[2], size)
    if (height, width) != tuple(picture.shape[1:]):
        picture = F.interpolate(picture[None], (height, width), mode="bilinear", align_corners=False)[0]
    return F.pad(picture, (0, size[1] - width, 0, size[0] - height), value=GREY)

"""Types that all parts of CamPro share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, UInt8

if TYPE_CHECKING:
    from torch import Tensor

    Images = Float[Tensor, "B 3 H W"]
    """A batch of sRGB images, channels red, green, blue, values in [0, 1]: the input of models and of the pipeline."""
    Embeddings = Float[Tensor, "N D"]
    """One embedding of unit norm per face."""

Rgb8 = UInt8[np.ndarray, "H W 3"]
"""One 8-bit sRGB image, channels red, green, blue, values 0 to 255: the output of a camera."""


def __getattr__(name: str) -> Any:
    """The types of tensors, on first use: importing torch takes seconds, and not every command needs it."""
    shapes = {"Images": "B 3 H W", "Embeddings": "N D"}
    if name not in shapes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from torch import Tensor

    return Float[Tensor, shapes[name]]


@runtime_checkable
class ImageTransform(Protocol):
    """A map from 8-bit sRGB images to 8-bit sRGB images of the same size: a camera, a baseline, an enhancer.

    Audits use it because a camera outputs 8-bit images. The differentiable counterpart for training is
    `campro.isp.IspPipeline`.
    """

    name: str
    """Row label in tables: "raw", "captured", "low-resolution-16", ..."""
    digest: str
    """Content hash of everything that decides the output; the key of cached results."""

    def __call__(self, rgb: Rgb8) -> Rgb8: ...


@dataclass(frozen=True)
class Detections:
    """Boxes of one image: detections or ground truth."""

    boxes: Float[Tensor, "N 4"]
    """(x0, y0, x1, y1) in pixels of the image."""
    scores: Float[Tensor, "N"]
    """In [0, 1]; 1 for ground truth."""
    crowd: Bool[Tensor, "N"]
    """Marks regions of the ground truth in which detections are neither correct nor false (COCO's iscrowd)."""

    def __len__(self) -> int:
        return len(self.boxes)

    @staticmethod
    def truth(boxes: Sequence[Sequence[float]] | Tensor, crowd: Sequence[bool] | Tensor | None = None) -> Detections:
        """Ground truth from boxes (x0, y0, x1, y1) in pixels; all scores are 1, and no box is a crowd by default."""
        import torch

        box = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        marks = torch.zeros(len(box)) if crowd is None else torch.as_tensor(crowd)
        return Detections(box, torch.ones(len(box)), marks.bool())


@dataclass(frozen=True)
class Poses:
    """Key points of the people of one image."""

    points: Float[Tensor, "N 17 3"]
    """COCO's 17 key points of each person: x and y in pixels of the image, and a score."""
    scores: Float[Tensor, "N"]
    """Confidence of each pose."""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class Scene:
    """A photograph and the ground truth of its persons."""

    path: Path
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    truth: Detections
    """Person boxes in pixels of the photograph."""
    areas: tuple[float, ...]
    """Area of each person's segment in square pixels (for COCO's AP by size); the area of the box if unknown."""
    whole: tuple[bool | None, ...] = ()
    """Whether each person is visible from head to ankles; None where no key points are labelled. Empty: none are."""
    labelled: bool = True
    """Whether `truth` has all persons; False for a photograph without labels, whose `truth` is empty."""
    keypoints: tuple[tuple[float, ...], ...] = ()
    """COCO's key points of each person, 17 times x, y, visibility (0: not labelled); `()` for people without labels.
    Empty: nobody has labels."""

"""The few types that every part of CamPro shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

Images = Float[Tensor, "B 3 H W"]
"""A batch of sRGB pictures with values in [0, 1]: what models and the differentiable pipeline take."""

Rgb8 = UInt8[np.ndarray, "H W 3"]
"""One 8-bit sRGB picture, channels in the order red, green, blue: what a camera hands out."""

Embeddings = Float[Tensor, "N D"]
"""One unit-norm row per face."""


@runtime_checkable
class ImageTransform(Protocol):
    """Anything that stands between the scene and the viewer: a camera profile, a baseline, an enhancer.

    It maps 8-bit pictures to 8-bit pictures of the same size, because that is what a camera hands out and
    therefore what an audit must judge. The differentiable twin used in training is `campro.isp.IspPipeline`.
    """

    name: str
    """Row label in tables: "raw", "captured", "low-resolution-16", ..."""
    digest: str
    """Content hash of everything that decides the output; the key under which results are cached."""

    def __call__(self, rgb: Rgb8) -> Rgb8: ...


@dataclass(frozen=True)
class Detections:
    """Boxes of one image, either found by a detector or given as ground truth.

    `boxes` are (x0, y0, x1, y1) in pixels of that image; `scores` lie in [0, 1] (1 for ground truth);
    `crowd` marks ground-truth regions in which further detections are neither right nor wrong (COCO iscrowd).
    """

    boxes: Float[Tensor, "N 4"]
    scores: Float[Tensor, "N"]
    crowd: Bool[Tensor, "N"]

    def __len__(self) -> int:
        return len(self.boxes)

    @staticmethod
    def truth(boxes: Sequence[Sequence[float]] | Tensor, crowd: Sequence[bool] | Tensor | None = None) -> Detections:
        """Ground truth from boxes alone: all scores are 1, nothing is a crowd unless said so."""
        box = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        marks = torch.zeros(len(box)) if crowd is None else torch.as_tensor(crowd)
        return Detections(box, torch.ones(len(box)), marks.bool())


@dataclass(frozen=True)
class Scene:
    """A photograph with its person boxes, as a COCO file lists it."""

    path: Path
    width: int
    height: int
    truth: Detections
    areas: tuple[float, ...]
    """Segment area of each box in square pixels, which COCO's AP-by-size uses; box area where there is none."""

"""Training samples of an enhancer: a piece of a photograph, what the camera makes of it, and where faces are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from campro.core.images import read_image, to_tensor
from campro.core.types import Images, ImageTransform, Rgb8
from campro.enhance.objective import Background

MARGIN = 0.3
"""By this part of its size a face box is grown on every side: ears, hair line and chin belong to a face."""
AREA = (0.2, 1.0)
"""Part of the photograph that a piece covers."""
ASPECT = (3 / 4, 4 / 3)


@dataclass(frozen=True)
class Lesson:
    """A photograph and the boxes of all its faces, (x0, y0, x1, y1) in pixels."""

    path: Path
    faces: Float[Tensor, "N 4"]


def background_of(faces: Float[Tensor, "N 4"], height: int, width: int) -> Bool[np.ndarray, "height width"]:
    """False on every face box, grown by MARGIN; True elsewhere.

    >>> import torch
    >>> int((~background_of(torch.tensor([[10.0, 10, 20, 20]]), 40, 40)).sum())
    256
    """
    background = np.ones((height, width), bool)
    for x0, y0, x1, y1 in faces.tolist():
        grow_x, grow_y = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
        top, left = max(0, int(y0 - grow_y)), max(0, int(x0 - grow_x))
        background[top : int(np.ceil(y1 + grow_y)), left : int(np.ceil(x1 + grow_x))] = False
    return background


def draw_samples(
    lessons: Sequence[Lesson], view: ImageTransform, size: int, count: int, rng: np.random.Generator
) -> tuple[Images, Images, Background]:
    """(captured, raw, background) of `count` random pieces, resized to size x size, half of them mirrored."""
    captured, raw, background = [], [], []
    for row in rng.choice(len(lessons), count, replace=len(lessons) < count):
        rgb = _decoded(lessons[row].path)
        height, width = rgb.shape[:2]
        cut = _piece(height, width, rng)
        piece = _resized(rgb[cut], size)
        mask = _resized(background_of(lessons[row].faces, height, width)[cut].astype(np.uint8) * 255, size)
        if rng.random() < 0.5:
            piece, mask = np.ascontiguousarray(piece[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
        captured.append(view(piece))
        raw.append(piece)
        background.append(mask == 255)
    marks = torch.from_numpy(np.stack(background))[:, None].float()
    return to_tensor(np.stack(captured)), to_tensor(np.stack(raw)), marks


def _piece(height: int, width: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """A random rectangle; where it would not fit it is cut at the border."""
    area = height * width * rng.uniform(*AREA)
    aspect = np.exp(rng.uniform(*np.log(ASPECT)))
    rows, columns = min(height, round((area / aspect) ** 0.5)), min(width, round((area * aspect) ** 0.5))
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    return slice(top, top + rows), slice(left, left + columns)


def _resized(piece: np.ndarray, size: int) -> np.ndarray:
    shrinking = min(piece.shape[:2]) > size
    return np.asarray(cv2.resize(piece, (size, size), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR))


@lru_cache(maxsize=2048)
def _decoded(path: Path) -> Rgb8:
    return read_image(path)

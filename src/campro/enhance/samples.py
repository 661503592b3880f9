"""Training samples of an enhancer: a piece of a photograph, what the camera makes of it, and where faces are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float

from campro.core.images import read_image_cached, to_tensor
from campro.core.types import Images, ImageTransform, Rgb8
from campro.enhance.colours import Coloured, spread_classes
from campro.enhance.enhancement_losses import Sample

MARGIN = 0.3
"""By this part of its size a face box is grown on every side: ears, hair line and chin belong to a face."""
AREA = (0.05, 1.0)
"""Part of the photograph that a piece covers; small ones are as likely as large ones."""
FACES = 0.5
"""So often a piece of a photograph with faces is made to hold the middle of one."""
GREY = 0.1
"""So often a piece is made grey: people of black-and-white pictures have faces too."""
NOISE = 3.0
"""Cameras are noisy: a sample is seen with noise of up to so many levels, and wanted without."""
COMPRESSED, QUALITY = 0.5, (60, 98)
"""So often a sample went through JPEG after the camera, and at which quality: most pictures do."""
MOSAICS = (1, 1, 2, 3)
"""Pieces across a sample, each as likely as the other."""
ASPECT = (3 / 4, 4 / 3)


@dataclass(frozen=True)
class Lesson:
    """A photograph and the boxes of all its faces, (x0, y0, x1, y1) in pixels."""

    path: Path
    faces: Float[np.ndarray, "N 4"]


def background_of(faces: Float[np.ndarray, "N 4"], height: int, width: int) -> Bool[np.ndarray, "height width"]:
    """False on every face box, grown by MARGIN; True elsewhere.

    >>> int((~background_of(np.array([[10.0, 10, 20, 20]]), 40, 40)).sum())
    256
    """
    background = np.ones((height, width), bool)
    for x0, y0, x1, y1 in faces.tolist():
        grow_x, grow_y = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
        top, left = max(0, int(y0 - grow_y)), max(0, int(x0 - grow_x))
        background[top : int(np.ceil(y1 + grow_y)), left : int(np.ceil(x1 + grow_x))] = False
    return background


def draw_samples(
    lessons: Sequence[Lesson],
    view: ImageTransform,
    colours: Callable[[Rgb8], Coloured],
    size: int,
    count: int,
    rng: np.random.Generator,
) -> Sample:
    """`count` random samples of size x size, seen through `view` and then through `colours`.

    A sample is one piece of a photograph or a mosaic of several, so that faces of all sizes are met.
    """
    uncompressed, captured, raw, background = [], [], [], []
    for _ in range(count):
        rgb, mask = _mosaic(lessons, size, int(rng.choice(MOSAICS)), rng)
        seen = view(_noisy(rgb, rng))
        uncompressed.append(seen)
        captured.append(_compressed(seen, rng) if rng.random() < COMPRESSED else seen)
        raw.append(rgb)
        background.append(mask)
    coloured, spread, _ = zip(*(colours(rgb) for rgb in captured))
    classes = spread_classes(torch.from_numpy(np.stack(spread)))
    marks = torch.from_numpy(np.stack(background))[:, None].float()
    return Sample(_batch(uncompressed), _batch(captured), _batch(coloured), classes, _batch(raw), marks)


def _batch(pictures: Sequence[Rgb8]) -> Images:
    return to_tensor(np.stack(pictures))


def _noisy(rgb: Rgb8, rng: np.random.Generator) -> Rgb8:
    noise = np.float32(rng.uniform(0, NOISE)) * rng.standard_normal(rgb.shape, np.float32)
    return (rgb + noise + 0.5).clip(0, 255).astype(np.uint8)


def _compressed(rgb: Rgb8, rng: np.random.Generator) -> Rgb8:
    quality = int(rng.integers(*QUALITY, endpoint=True))
    _, coded = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1])


def _mosaic(
    lessons: Sequence[Lesson], size: int, across: int, rng: np.random.Generator
) -> tuple[Rgb8, Bool[np.ndarray, "H W"]]:
    """A picture of across x across random pieces, each mirrored or not, and where no faces are."""
    rgb, background = np.empty((size, size, 3), np.uint8), np.empty((size, size), bool)
    edges = [round(size * part / across) for part in range(across + 1)]
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            lesson = lessons[int(rng.integers(len(lessons)))]
            shape = (bottom - top, right - left)
            rgb[top:bottom, left:right], background[top:bottom, left:right] = _cut(lesson, shape, rng)
    return rgb, background


def _cut(lesson: Lesson, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Rgb8, Bool[np.ndarray, "h w"]]:
    photo = read_image_cached(lesson.path)
    height, width = photo.shape[:2]
    cut = _piece(lesson, height, width, rng)
    piece = _resized(photo[cut], shape)
    if rng.random() < GREY:
        piece = np.repeat(cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    mask = _resized(background_of(lesson.faces, height, width)[cut].astype(np.uint8) * 255, shape) == 255
    return (piece[:, ::-1], mask[:, ::-1]) if rng.random() < 0.5 else (piece, mask)


def _piece(lesson: Lesson, height: int, width: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """A random rectangle; where it would not fit it is cut at the border."""
    area = height * width * np.exp(rng.uniform(*np.log(AREA)))
    aspect = np.exp(rng.uniform(*np.log(ASPECT)))
    rows, columns = min(height, round((area / aspect) ** 0.5)), min(width, round((area * aspect) ** 0.5))
    x = y = None
    if len(lesson.faces) and rng.random() < FACES:
        x0, y0, x1, y1 = lesson.faces[int(rng.integers(len(lesson.faces)))].tolist()
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return _stretch(rows, height, y, rng), _stretch(columns, width, x, rng)


def _stretch(length: int, whole: int, holding: float | None, rng: np.random.Generator) -> slice:
    """A random stretch of that length, out of `whole` pixels, that holds the given one."""
    low, high = 0, whole - length
    if holding is not None:
        pixel = min(max(int(holding), 0), whole - 1)
        low, high = max(low, pixel - length + 1), min(high, pixel)
    start = int(rng.integers(low, high + 1))
    return slice(start, start + length)


def _resized(piece: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    shrinking = piece.shape[0] > shape[0]
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(piece, shape[::-1], interpolation=interpolation))

"""Training samples of enhancers: pieces of photographs, the camera's output for them, and their face masks."""

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
from campro.enhance.enhancement_losses import Sample
from campro.enhance.recolouring import Recoloured, ambiguity_classes

MARGIN = 0.3
"""A face box is enlarged by this share of its width and height on every side, to include ears, hair line and chin."""
AREA = (0.05, 1.0)
"""Share of the photograph that a piece covers; its logarithm is uniformly distributed."""
FACE_PROBABILITY = 0.5
"""Probability that a piece of a photograph with faces contains the centre of a face."""
GREY_PROBABILITY = 0.1
"""Probability that a piece is made grey: people in black-and-white pictures have faces, too."""
NOISE = 3.0
"""Largest standard deviation, in levels, of the Gaussian noise added before the camera; the target has no noise."""
JPEG_PROBABILITY, JPEG_QUALITY = 0.5, (60, 98)
"""Probability of JPEG compression after the camera, and the range of its quality."""
MOSAICS = (1, 1, 2, 3)
"""Number of pieces across a sample; one entry is drawn."""
ASPECT = (3 / 4, 4 / 3)
"""Range of a piece's width divided by its height."""


@dataclass(frozen=True)
class TrainingPhoto:
    """A photograph and the boxes of all its faces, (x0, y0, x1, y1) in pixels."""

    path: Path
    faces: Float[np.ndarray, "N 4"]


def background_of(faces: Float[np.ndarray, "N 4"], height: int, width: int) -> Bool[np.ndarray, "height width"]:
    """False on every face box, enlarged by MARGIN; True elsewhere.

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
    photos: Sequence[TrainingPhoto],
    view: ImageTransform,
    recolouring: Callable[[Rgb8], Recoloured],
    size: int,
    count: int,
    rng: np.random.Generator,
) -> Sample:
    """A batch of `count` random samples of size x size pixels, through `view` (the camera) and then `recolouring`.

    A sample is one piece of a photograph or a mosaic of several pieces, so that faces have all sizes.
    """
    uncompressed, captured, raw, background = [], [], [], []
    for _ in range(count):
        rgb, mask = _mosaic(photos, size, int(rng.choice(MOSAICS)), rng)
        output = view(_noisy(rgb, rng))
        uncompressed.append(output)
        captured.append(_compressed(output, rng) if rng.random() < JPEG_PROBABILITY else output)
        raw.append(rgb)
        background.append(mask)
    recoloured, codes, _ = zip(*(recolouring(rgb) for rgb in captured))
    ambiguity = ambiguity_classes(torch.from_numpy(np.stack(codes)))
    masks = torch.from_numpy(np.stack(background))[:, None].float()
    return Sample(_batch(uncompressed), _batch(captured), _batch(recoloured), ambiguity, _batch(raw), masks)


def _batch(pictures: Sequence[Rgb8]) -> Images:
    return to_tensor(np.stack(pictures))


def _noisy(rgb: Rgb8, rng: np.random.Generator) -> Rgb8:
    noise = np.float32(rng.uniform(0, NOISE)) * rng.standard_normal(rgb.shape, np.float32)
    return (rgb + noise + 0.5).clip(0, 255).astype(np.uint8)


def _compressed(rgb: Rgb8, rng: np.random.Generator) -> Rgb8:
    quality = int(rng.integers(*JPEG_QUALITY, endpoint=True))
    _, coded = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1])


def _mosaic(
    photos: Sequence[TrainingPhoto], size: int, across: int, rng: np.random.Generator
) -> tuple[Rgb8, Bool[np.ndarray, "H W"]]:
    """A picture of across x across random pieces, each mirrored with probability 1/2, and its background mask."""
    rgb, background = np.empty((size, size, 3), np.uint8), np.empty((size, size), bool)
    edges = [round(size * part / across) for part in range(across + 1)]
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            photo = photos[int(rng.integers(len(photos)))]
            shape = (bottom - top, right - left)
            rgb[top:bottom, left:right], background[top:bottom, left:right] = _piece(photo, shape, rng)
    return rgb, background


def _piece(
    photo: TrainingPhoto, shape: tuple[int, int], rng: np.random.Generator
) -> tuple[Rgb8, Bool[np.ndarray, "h w"]]:
    """A random piece, resized to `shape`, and its background mask."""
    rgb = read_image_cached(photo.path)
    height, width = rgb.shape[:2]
    crop = _rectangle(photo, height, width, rng)
    piece = _resized(rgb[crop], shape)
    if rng.random() < GREY_PROBABILITY:
        piece = np.repeat(cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    mask = _resized(background_of(photo.faces, height, width)[crop].astype(np.uint8) * 255, shape) == 255
    return (piece[:, ::-1], mask[:, ::-1]) if rng.random() < 0.5 else (piece, mask)


def _rectangle(photo: TrainingPhoto, height: int, width: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """A random rectangle of random area and aspect ratio, cut off where it is larger than the photograph."""
    area = height * width * np.exp(rng.uniform(*np.log(AREA)))
    aspect = np.exp(rng.uniform(*np.log(ASPECT)))
    rows, columns = min(height, round((area / aspect) ** 0.5)), min(width, round((area * aspect) ** 0.5))
    x = y = None
    if len(photo.faces) and rng.random() < FACE_PROBABILITY:
        x0, y0, x1, y1 = photo.faces[int(rng.integers(len(photo.faces)))].tolist()
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return _interval(rows, height, y, rng), _interval(columns, width, x, rng)


def _interval(length: int, whole: int, inside: float | None, rng: np.random.Generator) -> slice:
    """A random interval of `length` out of `whole` pixels, which contains the position `inside` if that is given."""
    low, high = 0, whole - length
    if inside is not None:
        pixel = min(max(int(inside), 0), whole - 1)
        low, high = max(low, pixel - length + 1), min(high, pixel)
    start = int(rng.integers(low, high + 1))
    return slice(start, start + length)


def _resized(piece: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    shrinking = piece.shape[0] > shape[0]
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(piece, shape[::-1], interpolation=interpolation))

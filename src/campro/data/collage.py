"""Synthetic scenes with known person boxes: people pasted onto backgrounds, at random by the given generator."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from campro.core.types import Rgb8

WIDTH, HEIGHT = 480, 384
"""Size of every scene in pixels."""
MIN_VISIBLE = 0.4
"""Smallest share of each person that stays visible; a person who would cover more of another is not pasted."""


@dataclass(frozen=True)
class Cutout:
    """A person without the background: the image cropped to the person, and the mask of the person in it."""

    rgb: Rgb8
    mask: Bool[np.ndarray, "H W"]

    @staticmethod
    def of(rgb: Rgb8, mask: Bool[np.ndarray, "H W"]) -> Cutout:
        """Crop `rgb` to the extent of `mask`, which must not be empty."""
        x0, y0, x1, y1 = extent(mask)
        return Cutout(rgb[y0:y1, x0:x1], mask[y0:y1, x0:x1])


def extent(mask: Bool[np.ndarray, "H W"]) -> tuple[int, int, int, int]:
    """(x0, y0, x1, y1) of the set pixels, upper bounds exclusive; the mask must not be empty.

    >>> extent(np.array([[False, False, False], [False, True, True]]))
    (1, 1, 3, 2)
    """
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def compose(
    background: Rgb8, people: list[Cutout], rng: np.random.Generator
) -> tuple[Rgb8, list[Bool[np.ndarray, "H W"]]]:
    """Paste people in order onto a random crop of the background; returns the scene, and the visible mask of each."""
    canvas = _relight(_random_crop(background, rng), rng).astype(np.float32)
    visible: list[Bool[np.ndarray, "H W"]] = []
    whole: list[int] = []
    for person in people:
        colours, alpha = _placed(person, rng)
        covered = alpha > 0.5
        remaining = [mask & ~covered for mask in visible]
        if any(mask.sum() < MIN_VISIBLE * size for mask, size in zip(remaining, whole, strict=True)):
            continue
        visible = [*remaining, covered]
        whole.append(int(covered.sum()))
        canvas += alpha[..., None] * (colours - canvas)
    noisy = canvas + rng.normal(0, rng.uniform(0, 3), canvas.shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8), visible


def _random_crop(picture: Rgb8, rng: np.random.Generator) -> Rgb8:
    height, width = picture.shape[:2]
    fit = min(width / WIDTH, height / HEIGHT) * rng.uniform(0.6, 1)
    w, h = int(WIDTH * fit), int(HEIGHT * fit)
    x, y = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
    crop = picture[y : y + h, x : x + w]
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    return cv2.resize(np.ascontiguousarray(crop), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def _relight(picture: Rgb8, rng: np.random.Generator) -> Rgb8:
    """Random exposure, colour of the illumination, and gamma."""
    gain = rng.uniform(0.7, 1.15) * rng.uniform(0.92, 1.08, 3)
    table = np.linspace(0, 1, 256)[:, None] ** rng.uniform(0.8, 1.3) * gain
    return np.clip(np.round(table * 255), 0, 255).astype(np.uint8)[picture, np.arange(3)]


def _placed(person: Cutout, rng: np.random.Generator) -> tuple[Float[np.ndarray, "H W 3"], Float[np.ndarray, "H W"]]:
    """The person scaled, mirrored and relit at random, at a random place of an empty canvas; colours and soft mask."""
    height, width = person.mask.shape
    scale = HEIGHT * rng.uniform(0.3, 0.95) / height
    scale = min(scale, 0.9 * WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    rgb = cv2.resize(_relight(person.rgb, rng), size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(person.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        rgb, mask = rgb[:, ::-1], mask[:, ::-1]
    # The cut-outs end at the waist, so they are placed at the lower border.
    x, y = int(rng.integers(0, WIDTH - size[0] + 1)), HEIGHT - size[1]
    colours, alpha = np.zeros((HEIGHT, WIDTH, 3), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
    colours[y:, x : x + size[0]] = rgb
    alpha[y:, x : x + size[0]] = cv2.GaussianBlur(np.ascontiguousarray(mask), (3, 3), 0)
    return colours, alpha

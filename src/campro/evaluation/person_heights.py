"""Person detection by the height of whole people in pixels: the utility side of a distance.

A person of 1.7 m who is h pixels high stands at h / 1.7 px/m. Every scene is enlarged and shrunk by octaves in front of
the camera, so that each half octave of heights has people in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from campro.core.images import read_image
from campro.core.progress import track
from campro.core.types import Detections, ImageTransform, Rgb8, Scene
from campro.metrics.detection import average_precision, match_people
from campro.metrics.rates import Rate

BODY = 1.7
"""Height of a person in metres."""
EDGES = (20.0, 28.3, 40.0, 56.6, 80.0, 113.1, 160.0, 226.3, 320.0)
"""Edges of the classes of heights, in pixels: half octaves, 12 to 188 px/m."""
SCALES = (2.0, 1.0, 0.5, 0.25)
"""Factors by which scenes are enlarged (bicubic) and shrunk (area average)."""
SIDES = (48, 1400)
"""Least shorter and greatest longer side of a scaled scene, in pixels."""
BORDER = 2.0
"""A box closer to the border of the picture than this, in pixels, may be cut off."""
UPRIGHT = 2.0
"""Least height of a box over its width of somebody who stands, where no key points are labelled."""

Detect = Callable[[Rgb8], Detections]
Detected = tuple[Scene, Detections, Bool[Tensor, "N"]]
"""A scene at some scale, what was detected in it, and which of its people are whole."""


@dataclass(frozen=True)
class HeightClass:
    """People whose height in the delivered picture is in one class."""

    low: float
    """In pixels."""
    high: float
    detected: Rate
    """Share of people detected; threshold and overlap as in `metrics.detection`."""
    ap50: float | None
    """AP at IoU 0.5 of these people; others neither count as people nor as false."""

    @property
    def density(self) -> float:
        """Pixels per metre at the middle of the class."""
        return middle_density(self.low, self.high)


@dataclass(frozen=True)
class PeopleByHeight:
    """Detection of whole people, by classes of their height."""

    classes: tuple[HeightClass, ...]
    """Of classes with people in them, by rising height."""
    false_per_picture: dict[str, float]
    """False detections per picture, by the factor by which pictures were scaled."""


def middle_density(low: float, high: float) -> float:
    """Pixels per metre at the geometric middle of a class of heights in pixels."""
    return float(np.sqrt(low * high)) / BODY


def of_height(scene: Scene, low: float, high: float) -> Bool[Tensor, "N"]:
    """Which people of a scene are at least `low` and less than `high` pixels high."""
    heights = scene.truth.boxes[:, 3] - scene.truth.boxes[:, 1]
    return (heights >= low) & (heights < high)


def whole_people(scene: Scene) -> Bool[Tensor, "N"]:
    """Which people of a scene are visible from head to feet.

    By labelled key points (head and both ankles) where there are some; else boxes that do not touch the border and are
    at least twice as high as wide.
    """
    boxes, limits = scene.truth.boxes, torch.tensor([scene.width, scene.height], dtype=torch.float32)
    inside = (boxes[:, :2] > BORDER).all(1) & (boxes[:, 2:] < limits - BORDER).all(1)
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    guessed = inside & (height >= UPRIGHT * width)
    labels = scene.whole or (None,) * len(boxes)
    found = [bool(guess) if label is None else label for guess, label in zip(guessed.tolist(), labels, strict=True)]
    return torch.tensor(found, dtype=torch.bool) & ~scene.truth.crowd


def people_by_height(scenes: Sequence[Scene], camera: ImageTransform, detect: Detect) -> PeopleByHeight:
    """Detect people in scenes at several scales, each scaled in front of the camera.

    Args:
        scenes: photographs with boxes of people.
        camera: what the detector sees.
        detect: the detector; from an 8-bit sRGB picture to boxes in its pixels.

    Raises:
        CamproError: for an unreadable photograph.
    """
    seen: list[Detected] = []
    false_rates = {}
    for scale in SCALES:
        at_scale = list(detected_at_scale(scenes, camera, detect, scale))
        if at_scale:
            false = sum(match_people(scene.truth, found)[1] for scene, found, _ in at_scale)
            false_rates[f"{scale:g}"] = false / len(at_scale)
        seen += at_scale
    classes = (height_class(seen, low, high) for low, high in pairwise(EDGES))
    return PeopleByHeight(tuple(each for each in classes if each is not None), false_rates)


def scaled_scene(scene: Scene, rgb: Rgb8, scale: float) -> tuple[Scene, Rgb8] | None:
    """A scene and its picture at another scale; None where that would be too small or too large."""
    shape = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    if min(shape) < SIDES[0] or max(shape) > SIDES[1]:
        return None
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.asarray(rgb if scale == 1 else cv2.resize(rgb, shape, interpolation=way), np.uint8)
    ratio = torch.tensor([shape[0] / rgb.shape[1], shape[1] / rgb.shape[0]], dtype=torch.float32).repeat(2)
    truth = replace(scene.truth, boxes=scene.truth.boxes * ratio)
    areas = tuple(float(area * ratio[0] * ratio[1]) for area in scene.areas)
    factors = (float(ratio[0]), float(ratio[1]), 1.0)  # of x, y and visibility
    keypoints = tuple(tuple(value * factors[i % 3] for i, value in enumerate(one)) for one in scene.keypoints)
    return replace(scene, width=shape[0], height=shape[1], truth=truth, areas=areas, keypoints=keypoints), small


def detected_at_scale(
    scenes: Sequence[Scene], camera: ImageTransform, detect: Detect, scale: float
) -> Iterator[Detected]:
    """What is detected in each scene at a scale in front of the camera; scenes too small or too large are left out.

    Raises:
        CamproError: for an unreadable photograph.
    """
    for scene in track(scenes, f"people, {camera.name}, scale {scale:g}"):
        scaled = scaled_scene(scene, read_image(scene.path), scale)
        if scaled is not None:
            yield scaled[0], detect(camera(scaled[1])), whole_people(scene)


def height_class(seen: Sequence[Detected], low: float, high: float) -> HeightClass | None:
    """Detection of whole people of a height of `low` to `high` pixels; None where there are none."""
    hits = people = 0
    scenes, detections = [], []
    for scene, found, whole in seen:
        wanted = whole & of_height(scene, low, high)
        judged = replace(scene, truth=replace(scene.truth, crowd=~wanted))
        hits, people = hits + match_people(judged.truth, found)[0], people + int(wanted.sum())
        scenes.append(judged)
        detections.append(found)
    if not people:
        return None
    ap50 = average_precision(scenes, detections)[1]
    return HeightClass(low, high, Rate.of_counts(hits, people), ap50 if ap50 == ap50 else None)

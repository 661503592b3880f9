"""Training batches of scenes: mirrored, scaled and placed at random, with their boxes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from campro.core.errors import CamproError
from campro.core.images import read_image_cached
from campro.core.types import Detections, ImageTransform, Rgb8, Scene

GREY = 114
"""Level of the padding around scenes, 0 to 255 (YOLOX's)."""
ZOOM = (0.6, 1.5)
"""Range of the random scale, relative to the largest scale at which the scene fits."""
VISIBLE = 0.35
"""A person whose visible part is smaller than this share becomes a crowd region: neither person nor background."""


def scene_batch(
    scenes: Sequence[Scene],
    size: tuple[int, int],
    count: int,
    rng: np.random.Generator,
    view: ImageTransform | None = None,
) -> tuple[UInt8[np.ndarray, "B H W 3"], list[Detections]]:
    """`count` random scenes through `view` (raw if None), mirrored, scaled and placed on gray images of `size` (H, W).

    Returns:
        8-bit sRGB images, and the ground truth of each with boxes in pixels of these images.

    Raises:
        CamproError: if there are no scenes, or a photograph cannot be read.
    """
    if not scenes:
        raise CamproError("training scenes", "at least one scene", "none")
    indices = rng.choice(len(scenes), count, replace=len(scenes) < count)
    photos = [read_image_cached(scenes[index].path) for index in indices]
    views = photos if view is None else [view(photo) for photo in photos]
    pairs = [augment(rgb, scenes[index].truth, size, rng) for rgb, index in zip(views, indices)]
    return np.stack([rgb for rgb, _ in pairs]), [truth for _, truth in pairs]


def augment(rgb: Rgb8, truth: Detections, size: tuple[int, int], rng: np.random.Generator) -> tuple[Rgb8, Detections]:
    """Mirror a scene at random, scale it by a factor drawn from ZOOM, and place it on a gray image of `size` (H, W).

    Boxes follow the pixels; see VISIBLE for boxes that are cut off.
    """
    height, width = rgb.shape[:2]
    scale = min(size[0] / height, size[1] / width) * np.exp(rng.uniform(*np.log(ZOOM)))
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    scaled = cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    boxes = truth.boxes * torch.tensor([shape[0] / width, shape[1] / height]).repeat(2).float()
    if rng.random() < 0.5:
        scaled = scaled[:, ::-1]
        boxes = torch.stack([shape[0] - boxes[:, 2], boxes[:, 1], shape[0] - boxes[:, 0], boxes[:, 3]], 1)
    x, y = (int(rng.integers(min(room, 0), max(room, 0) + 1)) for room in (size[1] - shape[0], size[0] - shape[1]))
    canvas = np.full((*size, 3), GREY, np.uint8)
    visible = scaled[max(-y, 0) : size[0] - y, max(-x, 0) : size[1] - x]
    canvas[max(y, 0) : max(y, 0) + visible.shape[0], max(x, 0) : max(x, 0) + visible.shape[1]] = visible
    return canvas, _clip(boxes + torch.tensor([x, y, x, y]), truth.crowd, size)


def _clip(boxes: torch.Tensor, crowd: torch.Tensor, size: tuple[int, int]) -> Detections:
    """Clip boxes to the image; mostly invisible ones become crowd regions, invisible ones are removed."""
    limits = torch.tensor([size[1], size[0], size[1], size[0]], dtype=boxes.dtype)
    cut = torch.minimum(boxes.clamp(min=0), limits)
    visible = (cut[:, 2:] - cut[:, :2]).clamp(min=0).prod(1)
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    keep = visible > 1
    return Detections.truth(cut[keep], (crowd | (visible < VISIBLE * whole))[keep])

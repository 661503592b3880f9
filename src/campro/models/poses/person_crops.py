"""Crops of single people for pose estimators, and the way back to pixels of the image."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

Affine = Float[np.ndarray, "2 3"]


def crop_transform(box: Float[np.ndarray, "4"], size: tuple[int, int], margin: float) -> Affine:
    """The map from pixels of the image to pixels of the crop: scale and shift, equal scales of x and y.

    The box (x0, y0, x1, y1) grows around its centre to the aspect ratio of `size` (H, W), then by `margin`.

    >>> crop_transform(np.array([10.0, 20, 30, 60]), (20, 10), 1.0).tolist()
    [[0.5, 0.0, -5.0], [0.0, 0.5, -10.0]]
    """
    height, width = size
    centre, sides = (box[:2] + box[2:]) / 2, np.maximum(box[2:] - box[:2], 1.0)
    scale = 1 / (max(sides[0] / width, sides[1] / height) * margin)
    shift = np.array([width, height]) / 2 - scale * centre
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def person_crop(picture: Float[np.ndarray, "H W 3"], transform: Affine, size: tuple[int, int]) -> np.ndarray:
    """The crop (h, w, 3) by bilinear interpolation; black outside the image. Values as in `picture`."""
    return np.asarray(cv2.warpAffine(picture, transform, (size[1], size[0]), flags=cv2.INTER_LINEAR))


def from_crop(points: Float[np.ndarray, "K 2"], transform: Affine) -> Float[np.ndarray, "K 2"]:
    """Points of the crop in pixels of the image.

    >>> from_crop(np.array([[0.0, 0.0]]), np.array([[0.5, 0, -5], [0, 0.5, -10]])).tolist()
    [[10.0, 20.0]]
    """
    return (points - transform[:, 2]) / transform[[0, 1], [0, 1]]

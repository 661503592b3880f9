"""Outputs of pose networks as points (x, y, score) in pixels of the crop."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from campro.core.errors import CamproError
from campro.models.poses.pose_estimator import PoseCard


def decode_heat_maps(maps: Float[np.ndarray, "K h w"], size: tuple[int, int]) -> Float[np.ndarray, "K 3"]:
    """The highest cell of each map, moved by a quarter of a cell towards the higher neighbour; score: its value.

    Source: Xiao et al., Simple Baselines for Human Pose Estimation (ECCV 2018), section 3.

    >>> maps = np.zeros((1, 4, 4)); maps[0, 1, 2], maps[0, 1, 1] = 1.0, 0.5
    >>> decode_heat_maps(maps, (16, 16)).tolist()
    [[7.0, 4.0, 1.0]]
    """
    count, height, width = maps.shape
    best = maps.reshape(count, -1).argmax(1)
    y, x = np.divmod(best, width)
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = np.arange(count)
    right, left = padded[rows, y + 1, x + 2], padded[rows, y + 1, x]
    below, above = padded[rows, y + 2, x + 1], padded[rows, y, x + 1]
    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)
    fine_x = x + 0.25 * np.sign(right - left) * inside
    fine_y = y + 0.25 * np.sign(below - above) * inside
    return np.stack([fine_x * size[1] / width, fine_y * size[0] / height, maps[rows, y, x]], 1)


def decode_coordinates(values: Float[np.ndarray, "..."], card: PoseCard) -> Float[np.ndarray, "K 3"]:
    """Points of a regression network; without scores in its output every score is 1.

    Source of the method: Toshev and Szegedy, DeepPose (CVPR 2014).
    """
    points = values.reshape(values.shape[0], -1) if values.ndim == 2 else values.reshape(-1, 2)
    if points.shape[1] < 2:
        raise CamproError(card.name, "coordinates (K, 2), (K, 3) or (2 K)", str(values.shape), "correct the card")
    factor = np.array([card.size[1], card.size[0]]) if card.unit == "crop" else np.ones(2)
    scores = points[:, 2:3] if points.shape[1] > 2 else np.ones((len(points), 1))
    return np.concatenate([points[:, :2] * factor, scores], 1)

"""Outputs of pose networks as points (x, y, score) in pixels of the crop."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.special import expit

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


def maps_first(output: Float[np.ndarray, "..."], card: PoseCard) -> Float[np.ndarray, "K h w"]:
    """Heat maps (K, h, w) also from (h, w, K), as TFLite files have them: h and w are to have the ratio of the crop.

    >>> maps_first(np.zeros((64, 48, 17)), PoseCard("toy", (256, 192))).shape
    (17, 64, 48)

    Raises:
        CamproError: if the output has not three axes.
    """
    if output.ndim != 3:
        raise CamproError(card.name, "heat maps (K, h, w)", str(output.shape), "correct `kind` in the card")
    height, width = card.size
    first, second, third = output.shape
    last = first * width == second * height and second * width != third * height
    return output.transpose(2, 0, 1) if last else output


def decode_coordinates(output: Float[np.ndarray, "..."], card: PoseCard) -> Float[np.ndarray, "K 3"]:
    """Points of a regression network; without scores in its output every score is 1.

    Source of the method: Toshev and Szegedy, DeepPose (CVPR 2014).

    >>> card = PoseCard("toy", (8, 4), kind="coordinates", values=("y", "x", "seen"), score="seen", logits=True)
    >>> decode_coordinates(np.array([0.5, 0.25, 0.0]), card).tolist()
    [[1.0, 4.0, 0.5]]

    Raises:
        CamproError: if the output does not have the values that the card states for each point.
    """
    value = _values_by_name(output, card)
    width, height = (card.size[1], card.size[0]) if card.unit == "crop" else (1, 1)
    score = value.get(card.score, np.ones(len(value["x"])))
    return np.stack([value["x"] * width, value["y"] * height, expit(score) if card.logits else score], 1)


def _values_by_name(output: Float[np.ndarray, "..."], card: PoseCard) -> dict[str, Float[np.ndarray, "K"]]:
    flat = output.ndim != 2
    names = card.values or (("x", "y") if flat else ("x", "y", "score")[: output.shape[1]])
    if len(names) < 2 or output.size % len(names) or not (flat or output.shape[1] == len(names)):
        wanted = f"coordinates: {', '.join(names)} of each point" if card.values else "coordinates (K, 2 or 3) or (2 K)"
        raise CamproError(card.name, wanted, f"an output {output.shape}", "correct `values` in the card")
    return dict(zip(names, output.reshape(-1, len(names)).T))

"""The table of pose estimators. To add one, write its card or its file and add a line to `POSE_ESTIMATORS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.models.poses.pose_estimator import PoseCard, PoseEstimator
from campro.models.poses.top_down_poses import load_onnx_poses, load_tflite_poses
from campro.models.preprocessing import IMAGENET_MEAN, IMAGENET_STD

SIMPLEPOSE = PoseCard(
    "ultralight-simplepose",
    size=(256, 192),
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    licence="not stated",
    source="Ultralight-SimplePose (dog-qiuqiu), MobileNetV2, COCO",
)
"""The file does not state its preprocessing. Found by experiment: AP 0.51 with this card on 68 people of COCO val2017
and their boxes, 0.42 with the channels exchanged, 0.36 without mean and standard deviation."""

MEDIAPIPE = PoseCard(
    "mediapipe-pose",
    size=(256, 256),
    kind="coordinates",
    unit="pixels",
    values=("x", "y", "z", "visibility", "presence"),
    score="visibility",
    logits=True,
    margin=1.4,
    points=(0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28),
    licence="Apache-2.0",
    source="MediaPipe BlazePose, full; Bazarevsky et al., arXiv 2006.10204",
)
"""The file is pose_landmark_full.tflite of the npm package @mediapipe/pose 0.5.1675469404; SHA-256: see the catalogue.

Its 39 points are 33 of the body and 6 for tracking; `values` have MediaPipe's names. MediaPipe itself crops a square of
1.25 times a circle around the whole body, turned so that the body is upright. Here the square is not turned, and lies
around the box. Found by experiment on raw photographs, 86 people of COCO train2017 and their boxes: AP 0.175 with this
margin, 0.162 with 1.5, 0.138 with 1.25, 0.117 with 1 and 0.105 with 2. With 1.25, exchanged channels have 0.135,
pictures in [-1, 1] 0.124. The network expects whole people: the mean OKS is about 0.7 for people with at least 14
labelled points, and 0.2 for those with no labelled ankle."""

POSE_ESTIMATORS: dict[str, Callable[[Path | str], PoseEstimator]] = {
    "ultralight-simplepose": lambda weights: load_onnx_poses(_file("ultralight-simplepose", weights), SIMPLEPOSE),
    "mediapipe-pose": lambda weights: load_tflite_poses(_file("mediapipe-pose", weights), MEDIAPIPE),
}
"""Factories by name; a factory takes a weight file or "auto"."""
POSE_FILES: dict[str, Callable[[Path | str, Path], PoseEstimator]] = {
    "onnx": load_onnx_poses,
    "tflite": load_tflite_poses,
}
"""Readers of a file with a card, by family, which is also the ending of the file."""


def load_pose_estimator(name: str, weights: Path | str = "auto") -> PoseEstimator:
    """Load a pose estimator.

    Args:
        name: a key of `POSE_ESTIMATORS`, or "onnx/CARD.json" or "tflite/CARD.json", which reads the ONNX or TFLite
            file of the same name in the same folder; fields of the card: `PoseCard`.
        weights: "auto" for the file of the catalogue or beside the card; or a path.

    Raises:
        CamproError: if the name is unknown, or a file is missing or damaged.
    """
    family, _, member = name.partition("/")
    if family in POSE_FILES and member:
        card = Path(member)
        return POSE_FILES[family](card.with_suffix(f".{family}") if weights == "auto" else weights, card)
    if name not in POSE_ESTIMATORS:
        known = ", ".join([*POSE_ESTIMATORS, *(f"{family}/CARD.json" for family in POSE_FILES)])
        raise CamproError("pose estimator", f"one of {known}", repr(name))
    return POSE_ESTIMATORS[name](weights)


def _file(name: str, weights: Path | str) -> Path | str:
    return locate(name) if weights == "auto" else weights

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

POSE_ESTIMATORS: dict[str, Callable[[Path | str], PoseEstimator]] = {
    "ultralight-simplepose": lambda weights: load_onnx_poses(_file("ultralight-simplepose", weights), SIMPLEPOSE),
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

"""The table of pose estimators. To add one, write its card or its file and add a line to `POSE_ESTIMATORS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.models.poses.onnx_poses import load_onnx_poses
from campro.models.poses.pose_estimator import PoseCard, PoseEstimator
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
    "ultralight-simplepose": lambda weights: load_onnx_poses(
        locate("ultralight-simplepose") if weights == "auto" else weights, SIMPLEPOSE
    ),
}
"""Factories by name; a factory takes a weight file or "auto"."""


def load_pose_estimator(name: str, weights: Path | str = "auto") -> PoseEstimator:
    """Load a pose estimator.

    Args:
        name: a key of `POSE_ESTIMATORS`, or "onnx/CARD.json", which reads the ONNX file of the same name in the same
            folder; fields of the card: `PoseCard`.
        weights: "auto" for the file of the catalogue or beside the card; or a path.

    Raises:
        CamproError: if the name is unknown, or a file is missing or damaged.
    """
    family, _, member = name.partition("/")
    if family == "onnx" and member:
        card = Path(member)
        return load_onnx_poses(card.with_suffix(".onnx") if weights == "auto" else weights, card)
    if name not in POSE_ESTIMATORS:
        raise CamproError("pose estimator", f"one of {', '.join(POSE_ESTIMATORS)}, onnx/CARD.json", repr(name))
    return POSE_ESTIMATORS[name](weights)

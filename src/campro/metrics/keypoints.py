"""Accuracy of pose estimation: COCO's key point average precision by object keypoint similarity (OKS)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from campro.core.errors import CamproError
from campro.core.types import Poses, Scene
from campro.metrics.detection import PERSON, coco_precision, coco_truth

NAMES = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
)


@dataclass(frozen=True)
class PoseScores:
    """Average precision of key points, in [0, 1]; NaN if no person has labelled key points."""

    ap: float
    """Mean over OKS 0.50:0.95."""
    ap50: float
    ap75: float
    ap_low: float
    """Lower bound of the 95 % interval of `ap`: percentile bootstrap over photographs."""
    ap_high: float
    people: int
    """People with labelled key points."""


def score_poses(scenes: Sequence[Scene], poses: Sequence[Poses], resamples: int = 200, seed: int = 0) -> PoseScores:
    """Score the poses of each photograph, in its pixels.

    Args:
        scenes: photographs with labelled key points.
        poses: one entry per photograph.
        resamples: bootstrap samples of the photographs; with 0 the interval is `ap` itself.
        seed: of the bootstrap.

    Raises:
        CamproError: if the numbers of scenes and entries differ, or a value is not finite.
    """
    ap, ap50, ap75 = keypoint_precision(scenes, poses)
    rng, samples = np.random.default_rng(seed), []
    for _ in range(resamples):
        rows = rng.integers(0, len(scenes), len(scenes))
        samples.append(keypoint_precision([scenes[i] for i in rows], [poses[i] for i in rows])[0])
    low, high = np.nanquantile(samples, (0.025, 0.975)).tolist() if resamples else (ap, ap)
    people = sum(bool(points) for scene in scenes for points in scene.keypoints)
    return PoseScores(ap, ap50, ap75, low, high, people)


def keypoint_precision(scenes: Sequence[Scene], poses: Sequence[Poses]) -> tuple[float, float, float]:
    """COCO's key point AP over OKS 0.50:0.95, at 0.5 and at 0.75; people without labelled key points are ignored.

    A test compares the values with the reference implementation.
    Source: cocodataset.org, keypoint evaluation; OKS with the deviations of its annotators.

    Raises:
        CamproError: if the numbers of scenes and entries differ, or a value is not finite.
    """
    if len(scenes) != len(poses):
        raise CamproError("key points", f"poses of {len(scenes)} images", str(len(poses)))
    if not all(bool(one.points.isfinite().all() and one.scores.isfinite().all()) for one in poses):
        raise CamproError("key points", "finite points and scores", "NaN or infinity", "check the pose estimator")
    if not any(any(scene.keypoints) for scene in scenes):
        return (float("nan"),) * 3
    results = pose_results(poses)
    if not results:
        return 0.0, 0.0, 0.0
    return coco_precision(pose_truth(scenes), results, "keypoints")


def pose_truth(scenes: Sequence[Scene]) -> dict[str, Any]:
    """Ground truth as a COCO dictionary with key points; image ids are positions in `scenes`, from 1."""
    truth = coco_truth(scenes)
    labelled = [points for scene in scenes for points in (scene.keypoints or ((),) * len(scene.truth))]
    for annotation, points in zip(truth["annotations"], labelled, strict=True):
        annotation["keypoints"] = list(points) or [0.0] * 3 * len(NAMES)
        annotation["num_keypoints"] = sum(value > 0 for value in points[2::3])
    truth["categories"] = [{"id": PERSON, "name": "person", "keypoints": list(NAMES), "skeleton": []}]
    return truth


def pose_results(poses: Sequence[Poses]) -> list[dict[str, Any]]:
    """Poses as COCO results, with the image ids of `pose_truth`."""
    return [
        {"image_id": i, "category_id": PERSON, "keypoints": points.flatten().tolist(), "score": float(score)}
        for i, image in enumerate(poses, 1)
        for points, score in zip(image.points, image.scores, strict=True)
    ]

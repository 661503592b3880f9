"""Pose estimation on views of photographs, with the boxes of the ground truth: the errors of detectors do not count."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor
from campro.core.progress import track
from campro.core.types import ImageTransform, Poses, Scene
from campro.models.poses import PoseEstimator


def with_keypoints(scenes: Sequence[Scene]) -> tuple[Scene, ...]:
    """The photographs of people with labelled key points.

    Raises:
        CamproError: if there are none.
    """
    found = tuple(scene for scene in scenes if any(scene.keypoints))
    if not found:
        remedy = "use COCO's person_keypoints file"
        raise CamproError("poses", "people with labelled key points", "none", remedy)
    return found


def labelled_people(scene: Scene) -> Bool[Tensor, "N"]:
    """Which people of the photograph have labelled key points."""
    return torch.tensor([bool(points) for points in scene.keypoints], dtype=torch.bool)


def estimate_scenes(estimator: PoseEstimator, scenes: Sequence[Scene], view: ImageTransform) -> list[Poses]:
    """Poses of all people with labelled key points, on what `view` makes of each photograph.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    found = []
    for scene in track(scenes, f"poses by {estimator.card.name}, {view.name}"):
        picture = to_tensor(view(read_image(scene.path)))
        found += estimator.estimate(picture, [scene.truth.boxes[labelled_people(scene)]])
    return found

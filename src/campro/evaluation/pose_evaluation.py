"""Pose estimation on views of photographs, with the boxes of the ground truth: the errors of detectors do not count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from jaxtyping import Bool
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor
from campro.core.progress import track
from campro.core.types import ImageTransform, Poses, Scene
from campro.evaluation.person_heights import SCALES, middle_density, of_height, scaled_scene, whole_people
from campro.metrics.keypoints import PoseScores, score_poses
from campro.models.poses import PoseEstimator

HEIGHTS = (28.3, 56.6, 113.1, 226.3, 452.5)
"""Edges of the classes of heights in pixels: octaves, 17 to 266 px/m."""


@dataclass(frozen=True)
class PosesOfHeight:
    """Key point AP of whole people whose height in the delivered picture is in one class."""

    low: float
    """In pixels."""
    high: float
    scores: PoseScores

    @property
    def density(self) -> float:
        """Pixels per metre at the middle of the class."""
        return middle_density(self.low, self.high)


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


def poses_by_height(
    estimator: PoseEstimator, scenes: Sequence[Scene], view: ImageTransform, seed: int = 0
) -> tuple[PosesOfHeight, ...]:
    """Key point AP by the height of people who are visible from head to feet, at several scales of each photograph.

    As `person_heights.people_by_height`: photographs are scaled in front of the camera. A person may be in several
    classes. Classes without people are left out.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    seen = [found for scale in SCALES for found in _at_scale(estimator, scenes, view, scale)]
    classes = (_class(seen, low, high, seed) for low, high in pairwise(HEIGHTS))
    return tuple(one for one in classes if one is not None)


def _at_scale(
    estimator: PoseEstimator, scenes: Sequence[Scene], view: ImageTransform, scale: float
) -> Iterator[tuple[Scene, Poses]]:
    for scene in track(scenes, f"poses by {estimator.card.name}, {view.name}, scale {scale:g}"):
        whole = _only(scene, whole_people(scene))
        scaled = scaled_scene(whole, read_image(scene.path), scale) if any(whole.keypoints) else None
        if scaled is not None:
            resized, rgb = scaled
            boxes = resized.truth.boxes[labelled_people(resized)]
            yield resized, estimator.estimate(to_tensor(view(rgb)), [boxes])[0]


def _class(seen: Sequence[tuple[Scene, Poses]], low: float, high: float, seed: int) -> PosesOfHeight | None:
    scenes, poses = [], []
    for scene, found in seen:
        inside = of_height(scene, low, high)
        rows = inside[labelled_people(scene)]
        if rows.any():
            scenes.append(_only(scene, inside))
            poses.append(Poses(found.points[rows], found.scores[rows]))
    return PosesOfHeight(low, high, score_poses(scenes, poses, seed=seed)) if scenes else None


def _only(scene: Scene, people: Bool[Tensor, "N"]) -> Scene:
    """The scene with key points of these people alone; the others do not count."""
    points = scene.keypoints or ((),) * len(people)
    return replace(scene, keypoints=tuple(one if kept else () for one, kept in zip(points, people.tolist())))

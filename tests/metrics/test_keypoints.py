"""Key point AP against the reference implementation, and by hand."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from campro.core.errors import CamproError
from campro.core.types import Detections, Poses, Scene
from campro.metrics.keypoints import keypoint_precision, pose_results, pose_truth, score_poses


def scene_of(people, seed):
    """A photograph with people of whom some have no key points."""
    rng = np.random.default_rng(seed)
    boxes, points, areas = [], [], []
    for number in range(people):
        x, y, side = *rng.uniform(0, 300, 2), rng.uniform(30, 150)
        boxes.append([x, y, x + side, y + 2 * side])
        areas.append(float(side * side))
        visible = rng.integers(0, 3, 17) if number % 3 else np.zeros(17)
        places = rng.uniform((x, y), (x + side, y + 2 * side), (17, 2))
        points.append(tuple(np.column_stack([places, visible]).ravel().tolist()) if visible.any() else ())
    return Scene(Path("x"), 640, 640, Detections.truth(boxes), tuple(areas), keypoints=tuple(points))


def poses_of(scene, noise, seed):
    rng = np.random.default_rng(seed)
    known = [np.reshape(points, (17, 3)) for points in scene.keypoints if points]
    moved = [np.column_stack([p[:, :2] + rng.normal(0, noise, (17, 2)), np.ones(17)]) for p in known]
    points = torch.tensor(np.array(moved)).float() if moved else torch.zeros(0, 17, 3)
    return Poses(points, torch.tensor(rng.uniform(0, 1, len(moved))).float())


def test_values_of_the_reference_implementation():
    scenes = [scene_of(1 + n % 5, n) for n in range(20)]
    poses = [poses_of(scene, 1.5 * (1 + n % 4), n) for n, scene in enumerate(scenes)]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = pose_truth(scenes)
        truth.createIndex()
        reference = COCOeval(truth, truth.loadRes(pose_results(poses)), "keypoints")
        reference.evaluate()
        reference.accumulate()
        reference.summarize()
    found = keypoint_precision(scenes, poses)
    assert 0.1 < found[0] < 0.9
    np.testing.assert_allclose(found, reference.stats[:3], atol=1e-6)


def test_one_person_by_hand():
    """A perfect pose has AP 1; at a distance of half the person none is right; people without labels do not count."""
    scene = scene_of(2, 1)
    assert len(scene.keypoints) == 2 and scene.keypoints[0] == ()
    perfect = score_poses([scene], [poses_of(scene, 0.0, 0)], resamples=3)
    assert (perfect.ap, perfect.ap50, perfect.ap_low, perfect.ap_high, perfect.people) == (1, 1, 1, 1, 1)
    far = poses_of(scene, 0.0, 0)
    assert keypoint_precision([scene], [Poses(far.points + 200, far.scores)])[0] == 0
    assert keypoint_precision([scene], [Poses(torch.zeros(0, 17, 3), torch.zeros(0))]) == (0, 0, 0)
    assert np.isnan(keypoint_precision([scene_of(1, 0)], [poses_of(scene, 0, 0)])[0])


def test_unusable_poses_are_refused():
    scene = scene_of(2, 1)
    good = poses_of(scene, 0.0, 0)
    with pytest.raises(CamproError, match="finite"):
        keypoint_precision([scene], [Poses(good.points * float("nan"), good.scores)])
    with pytest.raises(CamproError, match="1 images"):
        keypoint_precision([scene], [])

"""Key point AP by the height of people: an estimator that knows where the points of a box are."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from campro.core.images import write_image
from campro.core.types import Detections, Poses, Scene
from campro.evaluation.pose_evaluation import HEIGHTS, poses_by_height
from campro.isp import RAW

PLACES = np.random.default_rng(0).uniform(0.1, 0.9, (17, 2))
"""Where each key point is, as a share of the width and height of the box."""


def points_of(box, shift=0.0):
    corner, sides = np.array(box[:2]), np.array(box[2:]) - box[:2]
    return np.column_stack([corner + (PLACES + shift) * sides, np.full(17, 2.0)])


def estimator(shift=0.0):
    def estimate(_, boxes):
        points = np.stack([points_of(box, shift) for box in boxes[0].double().numpy()])
        return [Poses(torch.from_numpy(points).float(), torch.ones(len(points)))]

    return SimpleNamespace(card=SimpleNamespace(name="knows"), estimate=estimate)


@pytest.fixture
def scene(tmp_path):
    """A whole person of 180 pixels, one of 90, and one of 180 whose feet are not in the picture."""
    write_image(tmp_path / "p.png", np.zeros((240, 320, 3), np.uint8))
    boxes = [[20, 30, 80, 210], [120, 40, 150, 130], [220, 60, 280, 240]]
    points = tuple(tuple(points_of(box).ravel().tolist()) for box in boxes)
    areas = tuple(float((x1 - x0) * (y1 - y0)) for x0, y0, x1, y1 in boxes)
    whole = (True, True, False)
    return Scene(tmp_path / "p.png", 320, 240, Detections.truth(boxes), areas, whole, keypoints=points)


def test_people_fall_into_the_class_of_their_height_at_each_scale(scene):
    """180 pixels are 360, 180, 90 and 45 at the four scales, 90 are 180, 90, 45 and 22.5, which is in no class."""
    found = {(one.low, one.high): one.scores.people for one in poses_by_height(estimator(), [scene], RAW)}
    assert found == {(28.3, 56.6): 2, (56.6, 113.1): 2, (113.1, 226.3): 2, (226.3, 452.5): 1}
    assert [low for low, _ in found] == list(HEIGHTS[:-1])


@pytest.mark.parametrize(("shift", "ap"), [(0.0, 1.0), (0.5, 0.0)])
def test_right_points_have_ap_one_and_shifted_ones_zero(scene, shift, ap):
    assert [one.scores.ap for one in poses_by_height(estimator(shift), [scene], RAW)] == pytest.approx([ap] * 4)

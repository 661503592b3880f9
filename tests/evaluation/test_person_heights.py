from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.chain import Chain
from campro.core.images import write_image
from campro.core.types import Detections, Scene
from campro.evaluation.person_heights import BODY, people_by_height, scaled_scene, whole_people

RAW = Chain("raw")


def scene_of(path, boxes, size=(200, 160), whole=()):
    rgb = np.full((size[1], size[0], 3), 20, np.uint8)
    for x0, y0, x1, y1 in boxes:
        rgb[y0:y1, x0:x1] = 240
    write_image(path, rgb)
    areas = tuple(float((x1 - x0) * (y1 - y0)) for x0, y0, x1, y1 in boxes)
    return Scene(path, *size, Detections.truth([list(map(float, box)) for box in boxes]), areas, whole)


def white_boxes(least):
    """A detector of white rectangles that are at least `least` pixels high."""

    def detect(rgb):
        rows = np.flatnonzero((rgb[..., 0] > 128).any(1))
        columns = np.flatnonzero((rgb[..., 0] > 128).any(0))
        if len(rows) < least:
            return Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.bool))
        box = torch.tensor([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], dtype=torch.float32)
        return Detections(box, torch.ones(1), torch.zeros(1, dtype=torch.bool))

    return detect


def test_people_are_counted_in_the_class_of_their_height(tmp_path):
    """A person of 100 pixels, at the scales 2, 1, 1/2, 1/4, is 200, 100, 50 and 25 pixels high."""
    scene = scene_of(tmp_path / "a.png", [(40, 30, 80, 130)])
    found = people_by_height([scene], RAW, white_boxes(40))
    assert [(round(each.low), each.detected.n, each.detected.mean) for each in found.classes] == [
        (40, 1, 1.0),
        (80, 1, 1.0),
        (160, 1, 1.0),
    ]  # at a quarter the scene is below 48 pixels
    missed = people_by_height([scene], RAW, white_boxes(90))
    assert [each.detected.mean for each in missed.classes] == [0.0, 1.0, 1.0]
    assert missed.classes[0].density == pytest.approx((40 * 56.6) ** 0.5 / BODY, rel=1e-3)


def test_the_camera_acts_after_scaling(tmp_path):
    seen = []

    class Camera:
        name = digest = "spy"

        def __call__(self, rgb):
            seen.append(rgb.shape[:2])
            return rgb

    people_by_height([scene_of(tmp_path / "a.png", [(40, 30, 80, 130)])], Camera(), white_boxes(10))
    assert seen == [(320, 400), (160, 200), (80, 100)]


def test_false_detections_are_counted_per_picture(tmp_path):
    scene = scene_of(tmp_path / "a.png", [(40, 30, 80, 130)])
    nobody = Scene(scene.path, 200, 160, Detections.truth([]), ())
    found = people_by_height([scene, nobody], RAW, white_boxes(10))
    assert found.false_per_picture == {"2": 0.5, "1": 0.5, "0.5": 0.5}


def test_only_whole_people_count(tmp_path):
    boxes = [(40, 30, 80, 130), (0, 30, 40, 130), (90, 30, 190, 130)]  # upright, at the border, sitting
    assert whole_people(scene_of(tmp_path / "a.png", boxes)).tolist() == [True, False, False]
    labelled = scene_of(tmp_path / "b.png", boxes, whole=(False, True, None))
    assert whole_people(labelled).tolist() == [False, True, False]


def test_boxes_follow_the_pixels(tmp_path):
    scene = scene_of(tmp_path / "a.png", [(40, 30, 80, 130)])
    rgb = np.zeros((160, 200, 3), np.uint8)
    scaled, small = scaled_scene(scene, rgb, 0.5)
    assert scaled.truth.boxes.tolist() == [[20, 15, 40, 65]] and scaled.areas == (1000.0,)
    assert small.shape == (80, 100, 3)
    assert scaled_scene(scene, rgb, 0.25) is None

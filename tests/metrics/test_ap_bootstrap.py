"""AP of resampled images against the COCO library on the same list of images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.random_scenes import random_scenes

from campro.core.types import Detections, Scene
from campro.metrics.ap_bootstrap import LARGEST_NUMBER, MatchedDetections
from campro.metrics.detection import average_precision


def _check(scenes, found, images):
    expected = average_precision([scenes[i] for i in images], [found[i] for i in images])[0]
    assert MatchedDetections.of(scenes, found).average_precision(np.array(images)) == expected


@pytest.mark.parametrize("seed", range(6))
def test_resamples_have_the_average_precision_of_the_coco_library(seed):
    """People, crowd regions, equal scores and boxes of negative width are among the random ones."""
    scenes, found = random_scenes(seed, 5 + 9 * (seed % 2))
    for images in np.random.default_rng(seed).integers(0, len(scenes), (4, len(scenes))):
        _check(scenes, found, images.tolist())


def test_of_equal_boxes_each_is_matched_once():
    truth = Detections.truth([[0, 0, 40, 40], [0, 0, 40, 40], [0, 4, 40, 44]])
    boxes = torch.tensor([[0.0, 0, 40, 40]] * 4)
    found = Detections(boxes, torch.tensor([0.9, 0.9, 0.8, 0.7]), torch.zeros(4, dtype=torch.bool))
    _check([Scene(None, 50, 50, truth, (1600.0,) * 3)], [found], [0, 0])


def test_the_most_certain_detections_of_an_image_count():
    truth = Detections.truth([[0, 0, 40, 40]])
    boxes = torch.tensor([[60.0, 60, 90, 90]] * LARGEST_NUMBER + [[0, 0, 40, 40]])
    found = Detections(boxes, torch.linspace(0.9, 0.1, len(boxes)), torch.zeros(len(boxes), dtype=torch.bool))
    _check([Scene(None, 100, 100, truth, (1600.0,))], [found], [0])
    assert (
        MatchedDetections.of([Scene(None, 100, 100, truth, (1600.0,))], [found]).average_precision(np.array([0])) == 0
    )


def test_images_without_people_have_none_and_without_detections_zero():
    scenes = [Scene(None, 50, 50, Detections.truth(boxes), ()) for boxes in ([], [[0, 0, 9, 9]])]
    matched = MatchedDetections.of(scenes, [Detections.truth([]), Detections.truth([])])
    assert math.isnan(matched.average_precision(np.array([0, 0])))
    assert matched.average_precision(np.array([0, 1])) == 0

"""The parts that all person detectors share."""

from __future__ import annotations

import pytest
import torch

from campro.core.errors import CamproError
from campro.core.types import Detections
from campro.models.persons import DetectorCard, TrainableDetector
from campro.models.persons.person_detector import check_truth, checked_images, confident_detections


def _detections(scores):
    boxes = torch.arange(len(scores)).float()[:, None] + torch.tensor([0.0, 0, 5, 5])
    return Detections(boxes, torch.tensor(scores), torch.zeros(len(scores), dtype=torch.bool))


class OneBox(TrainableDetector):
    """Detects one box with a given score; keeps the ground truths that its loss gets."""

    def __init__(self, score):
        super().__init__(DetectorCard("one box", (32, 32), "none", "test"))
        self.score, self.truths = score, []

    def detect(self, images):
        return [_detections([self.score]) for _ in images]

    def loss(self, images, truth):
        self.truths += truth
        return images.sum()


def test_confident_detections_by_score():
    kept = confident_detections(_detections([0.9, 0.5, 0.49, 0.15, 0.14]))
    assert kept.boxes[:, 0].tolist() == [0, 1, 2, 3]
    assert kept.crowd.tolist() == [False, False, True, True]
    assert kept.scores.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(("score", "crowd"), [(0.9, [False]), (0.3, [True]), (0.1, [])])
def test_default_imitation_takes_the_detections_of_the_teacher_as_truth(score, crowd):
    student = OneBox(0.0)
    student.imitate(torch.zeros(2, 3, 32, 32), torch.ones(2, 3, 32, 32), OneBox(score))
    assert [truth.crowd.tolist() for truth in student.truths] == [crowd, crowd]


def test_default_calibration_does_nothing():
    assert OneBox(0.5).calibrate(torch.zeros(1, 3, 32, 32)) is None


@pytest.mark.parametrize("image", [torch.zeros(1, 8, 8), torch.full((3, 8, 8), 2.0), torch.full((3, 8, 8), torch.nan)])
def test_bad_images_are_refused(image):
    with pytest.raises(CamproError, match="test"):
        checked_images([torch.zeros(3, 8, 8), image], "test")


def test_bad_ground_truth_is_refused():
    images = torch.zeros(1, 3, 8, 8)
    with pytest.raises(CamproError, match="truth for 1"):
        check_truth(images, [], "test")
    with pytest.raises(CamproError, match="finite boxes"):
        check_truth(images, [Detections.truth([[0, 0, torch.inf, 2]])], "test")

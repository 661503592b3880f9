"""The YOLOX detector: calibration, boxes in image pixels, and the public weights."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch

from campro.models.persons import load_detector
from campro.models.persons.yolox import YoloxDetector
from campro.models.persons.yolox_cells import PERSON


@pytest.fixture(scope="module")
def person():
    """The detector that the package contains."""
    return load_detector("campro-person")


def test_calibration_does_not_change_the_output(person):
    calibrated = deepcopy(person)
    images = torch.rand(2, 3, 320, 320)
    calibrated.calibrate(images)
    with torch.no_grad():
        torch.testing.assert_close(calibrated.eval().net(images * 255), person.net(images * 255), rtol=1e-3, atol=1e-3)
    norms = [conv.weight.flatten(1).norm(dim=1) for conv in calibrated.modules() if isinstance(conv, torch.nn.Conv2d)]
    assert float(norms[0].detach().min()) == pytest.approx(1, abs=1e-4)


def test_frozen_batch_norms_stay_in_evaluation_mode(person):
    norms = [module for module in deepcopy(person).train().modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms and not any(norm.training for norm in norms)


def test_boxes_are_in_pixels_of_the_image(person):
    pictures = [torch.rand(3, 200, 500), torch.rand(3, 90, 70)]
    for picture, found in zip(pictures, person.detect(pictures)):
        height, width = picture.shape[1:]
        assert (found.boxes[:, 2] <= width).all()
        assert (found.boxes[:, 3] <= height).all()
        assert (found.scores.diff() <= 0).all()
        assert len(found) <= 100


def test_detections_below_the_minimum_score_are_dropped(person):
    picture = torch.rand(3, 320, 320)
    scores = person.detect([picture])[0].scores
    middle = float(scores.median())
    assert person.detect([picture], min_score=middle)[0].scores.tolist() == scores[scores > middle].tolist()


@pytest.mark.shared
def test_public_weights_agree_with_onnxruntime(shared_data):
    import onnxruntime

    file = shared_data / "models/yolox_nano.onnx"
    detector = load_detector("yolox-nano")
    assert isinstance(detector, YoloxDetector)
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(file))
    wanted = session.run(None, {session.get_inputs()[0].name: picture})[0]
    with torch.no_grad():
        ours = detector.net(torch.from_numpy(picture)).numpy()
    np.testing.assert_allclose(ours[..., :4], wanted[..., :4], atol=2e-3)
    np.testing.assert_allclose(1 / (1 + np.exp(-ours[..., 5 + PERSON])), wanted[..., 5 + PERSON], atol=1e-4)

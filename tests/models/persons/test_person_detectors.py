"""The contract that every entry of the table of person detectors keeps, on random weights."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from campro.core.errors import CamproError
from campro.core.types import Detections
from campro.models.persons import PERSON_DETECTORS, load_detector
from campro.models.persons.person_detector import MAX_BOXES
from campro.models.persons.torchvision_detectors import TORCHVISION

FAST = ("yolox-nano", "campro-person")
SLOW = ("torchvision/ssdlite320_mobilenet_v3_large", "torchvision/fasterrcnn_mobilenet_v3_large_320_fpn")
"""The two smallest of torchvision's detectors; all others have the same factory and class."""


def _entry(name):
    if name == "ultralytics":
        return pytest.param(name, marks=pytest.mark.skipif(not find_spec(name), reason="extra not installed"))
    return name if name in FAST else pytest.param(name, marks=pytest.mark.slow)


TRAINABLE = [name for name in PERSON_DETECTORS if name != "onnx"]
"""All but ONNX files, which need a file and have no loss."""
ENTRIES = [_entry(name) for name in TRAINABLE if name in SLOW or not name.startswith("torchvision/")]


@pytest.mark.parametrize("name", ENTRIES)
def test_contract(name):
    detector = load_detector(name, weights=None)
    assert detector.card.weights_sha256 is None
    assert not detector.training
    images = torch.rand(2, 3, 128, 96, requires_grad=True)
    truth = [Detections.truth([[10, 10, 60, 120]]), Detections.truth([[5, 5, 50, 50]], [True])]
    loss = detector.train().loss(images, truth)
    assert loss.shape == ()
    assert torch.isfinite(loss)
    loss.backward()
    assert images.grad.abs().sum() > 0
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in detector.parameters())
    for found in detector.detect([torch.rand(3, 128, 96), torch.rand(3, 64, 200)]):
        assert (found.scores.diff() <= 0).all()
        assert found.boxes.shape == (len(found), 4)
        assert len(found) <= MAX_BOXES
        assert not found.crowd.any()
    assert detector.training  # the mode is as before
    assert detector.detect([]) == []
    with pytest.raises(CamproError, match="truth"):
        detector.loss(images, truth[:1])
    with pytest.raises(CamproError):
        detector.detect([torch.full((3, 64, 64), torch.nan)])


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(CamproError, match="campro-person"):
        load_detector("nobody")


@pytest.mark.skipif(find_spec("ultralytics") is not None, reason="the extra is installed")
def test_the_names_of_torchvision_are_those_of_its_box_detectors():
    from torchvision.models import detection, list_models

    known = {f"torchvision/{name}" for name in list_models(detection)}
    assert set(TORCHVISION) == {name for name in known if "maskrcnn" not in name and "keypointrcnn" not in name}


def test_ultralytics_is_optional():
    with pytest.raises(CamproError, match="AGPL"):
        load_detector("ultralytics", weights=None)

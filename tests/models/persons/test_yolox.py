"""YOLOX: the loss by hand, imitation, restored scales, boxes through letterboxes, and the public weights."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.core.types import Detections
from campro.models.persons import load_detector
from campro.models.persons.letterbox import GREY, letterbox
from campro.models.persons.yolox import PERSON, YoloxDetector, cell_grid
from campro.models.persons.yolox_loss import paired_iou, yolox_loss


@pytest.fixture(scope="module")
def person():
    """The detector that ships."""
    return load_detector("campro-person")


def test_cells_lie_where_the_strides_say():
    centres, strides = cell_grid(64, 96, torch.device("cpu"))
    assert len(centres) == 8 * 12 + 4 * 6 + 2 * 3
    assert centres[1].tolist() == [1, 0]
    assert strides.unique().tolist() == [8, 16, 32]


def test_letterbox_keeps_the_shape_and_pads_with_grey():
    boxed = letterbox([torch.ones(3, 40, 80)], (64, 64))
    assert boxed.shape == (1, 3, 64, 64)
    assert boxed[0, :, :32].min() == 1
    assert boxed[0, :, 32:].unique().tolist() == pytest.approx([GREY])


def test_iou_by_hand():
    one, other = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[2.0, 0, 6, 4]])
    assert float(paired_iou(one, other)) == pytest.approx(8 / 24)


def test_loss_falls_when_learning_and_ignores_crowds():
    torch.manual_seed(0)  # a start from which learning is slow: of eight, two need more than twenty steps
    detector = load_detector("campro-person", weights=None).train()
    images, truth = torch.rand(2, 3, 320, 320), [Detections.truth([[40, 40, 140, 260]]), Detections.truth([])]
    optimiser = torch.optim.Adam(detector.parameters(), lr=1e-3)
    losses = []
    for _ in range(40):
        loss = detector.loss(images, truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
    everywhere = [Detections.truth([[0, 0, 320, 320]], [True])] * 2
    assert float(detector.loss(images, everywhere)) == 0  # nothing is right or wrong inside a crowd
    with pytest.raises(CamproError, match="truth for 2"):
        detector.loss(images, truth[:1])


def test_away_from_people_the_score_counts_and_not_the_objectness(person):
    cells = person.cells(torch.rand(1, 3, 64, 64))
    sure_horse = cells._replace(
        objectness=torch.full_like(cells.objectness, 9.0), person=torch.full_like(cells.person, -30.0)
    )
    assert float(yolox_loss(sure_horse, [Detections.truth([])])) == pytest.approx(0, abs=1e-6)


def test_imitation_is_at_its_minimum_for_the_model_itself(person):
    images = torch.rand(1, 3, 320, 320)
    learner = deepcopy(person).eval()
    learner.imitate(images, images, person).backward()
    largest = max(float(p.grad.abs().max()) for p in learner.parameters() if p.grad is not None)
    other = deepcopy(person).eval()
    other.imitate(1 - images, images, person).backward()
    assert largest < 1e-3 * max(float(p.grad.abs().max()) for p in other.parameters() if p.grad is not None)


def test_calibration_does_not_change_what_is_found(person):
    ready = deepcopy(person)
    images = torch.rand(2, 3, 320, 320)
    ready.calibrate(images)
    with torch.no_grad():
        torch.testing.assert_close(ready.eval().net(images * 255), person.net(images * 255), rtol=1e-3, atol=1e-3)
    norms = [conv.weight.flatten(1).norm(dim=1) for conv in ready.modules() if isinstance(conv, torch.nn.Conv2d)]
    assert float(norms[0].min()) == pytest.approx(1, abs=1e-4)


def test_boxes_come_back_in_pixels_of_the_picture(person):
    pictures = [torch.rand(3, 200, 500), torch.rand(3, 90, 70)]
    for picture, found in zip(pictures, person.detect(pictures)):
        height, width = picture.shape[1:]
        assert (found.boxes[:, 2] <= width).all()
        assert (found.boxes[:, 3] <= height).all()
        assert (found.scores.diff() <= 0).all()
        assert len(found) <= 100


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


def test_unknown_names_and_bad_files(tmp_path):
    with pytest.raises(CamproError, match="campro-person"):
        load_detector("nobody")
    for suffix in (".safetensors", ".pth", ".onnx"):
        file = tmp_path / f"bad{suffix}"
        file.write_bytes(b"\x80 no weights")
        with pytest.raises(CamproError) as caught:
            load_detector("yolox-nano", weights=file)
        assert "\n" not in str(caught.value)
    with pytest.raises(CamproError, match="no such file"):
        load_detector("yolox-nano", weights=tmp_path / "absent.onnx")

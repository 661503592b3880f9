"""Training batches of scenes, and adaptation of a detector to a camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.core.types import Detections, Scene
from campro.data.photographs import PHOTOGRAPHS
from campro.isp import RAW, Camera
from campro.models.persons import detector_adaptation, load_detector
from campro.models.persons.detector_adaptation import adapt, augment, detect_scenes, scene_batch
from campro.models.persons.recoloured import RecolouredDetector


@pytest.fixture
def scene(tmp_path):
    """A white box on black, so that the pixels give the box."""
    rgb = np.zeros((120, 200, 3), np.uint8)
    rgb[30:90, 50:110] = 255
    write_image(tmp_path / "scene.png", rgb)
    return Scene(tmp_path / "scene.png", 200, 120, Detections.truth([[50, 30, 110, 90]]), (3600.0,))


@pytest.mark.parametrize("seed", range(12))
def test_boxes_are_transformed_like_the_pixels(scene, seed):
    pixels, truths = scene_batch([scene], (160, 160), 1, np.random.default_rng(seed))
    rows, columns = np.nonzero(pixels[0].min(2) > 200)
    if len(truths[0]) == 0:
        assert len(rows) == 0
        return
    x0, y0, x1, y1 = truths[0].boxes[0].tolist()
    np.testing.assert_allclose(
        [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], [x0, y0, x1, y1], atol=1.5
    )


def test_boxes_are_clipped_to_the_image():
    rgb, truth = np.zeros((100, 100, 3), np.uint8), Detections.truth([[0, 0, 10, 100], [0, 0, 100, 100]])
    for seed in range(20):
        _, clipped = augment(rgb, truth, (60, 60), np.random.default_rng(seed))
        area = (clipped.boxes[:, 2:] - clipped.boxes[:, :2]).prod(1)
        assert (area > 1).all()
        assert (clipped.boxes >= 0).all()
        assert (clipped.boxes <= 60).all()


def test_a_view_changes_colours_but_not_positions(scene):
    raw, inverted = (
        scene_batch([scene], (96, 96), 3, np.random.default_rng(4), view) for view in (None, Camera("invert"))
    )
    assert all(torch.equal(a.boxes, b.boxes) for a, b in zip(raw[1], inverted[1]))
    white = raw[0].min(3) == 255
    assert (inverted[0][white] == 0).all()


@pytest.fixture
def detector(monkeypatch):
    """The detector of the package with smaller inputs, calibrated on few scenes."""
    monkeypatch.setattr(detector_adaptation, "CALIBRATION_SCENES", 2)
    detector = load_detector("campro-person")
    detector.card = replace(detector.card, size=(192, 192))
    return detector


@pytest.mark.slow
def test_adaptation_does_not_change_the_detector_and_is_reproducible(scene, detector):
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    first, second = (adapt(detector, [scene], Camera("invert"), 2, seed=3, batch=2) for _ in range(2))
    assert all(torch.equal(value, before[name]) for name, value in detector.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values()))
    assert not first.training
    assert len(detect_scenes(first, [scene], RAW)) == 1


@pytest.fixture
def portrait(tmp_path):
    """A photograph in which the detector of the package detects a person."""
    rgb = PHOTOGRAPHS["astronaut"].read()
    write_image(tmp_path / "portrait.png", rgb)
    return Scene(tmp_path / "portrait.png", rgb.shape[1], rgb.shape[0], Detections.truth([]), ())


@pytest.mark.slow
def test_the_lut_alone_restores_the_detections_of_an_invertible_camera(portrait):
    """Without any training step."""
    detector, invert = load_detector("campro-person"), Camera("invert")
    adapted = adapt(detector, [portrait], invert, 0, seed=0)
    assert isinstance(adapted, RecolouredDetector)
    raw, unadapted, recoloured = (
        detect_scenes(model, [portrait], view)[0].scores.max()
        for model, view in ((detector, RAW), (detector, invert), (adapted, invert))
    )
    assert abs(recoloured - raw) < 0.05 < abs(unadapted - raw)


@pytest.mark.slow
def test_training_that_lowers_the_average_precision_is_discarded(portrait, detector):
    ruined = adapt(detector, [portrait], Camera("invert"), 2, seed=0, batch=1, lr=10.0)
    untrained = adapt(detector, [portrait], Camera("invert"), 0, seed=0)
    for name, value in untrained.state_dict().items():
        assert torch.equal(value, ruined.state_dict()[name])
    unchanged = adapt(detector, [portrait], RAW, 2, seed=0, batch=1, lr=10.0)
    for name, value in detector.state_dict().items():
        assert torch.equal(value, unchanged.state_dict()[name])


@pytest.mark.slow
def test_scenes_without_people_are_half_of_the_training_scenes(portrait, detector, tmp_path, monkeypatch):
    """Even if they are rare: without them a detector learns false detections."""
    blank = tmp_path / "blank.png"
    write_image(blank, np.full((64, 64, 3), 90, np.uint8))
    empty = Scene(blank, 64, 64, Detections.truth([]), ())
    learned = []
    monkeypatch.setattr(detector_adaptation, "_train", lambda *arguments: learned.extend(arguments[4]))
    adapt(detector, [portrait] * 6 + [empty] * 2, Camera("invert"), 1, seed=0)
    assert [scene.path for scene in learned[:4]] == [portrait.path, blank] * 2
    assert sum(scene is empty for scene in learned) == len(learned) / 2


def test_a_batch_of_no_scenes_is_refused():
    with pytest.raises(CamproError, match="at least one scene"):
        scene_batch([], (32, 32), 1, np.random.default_rng(0))

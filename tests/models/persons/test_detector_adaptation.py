"""Training batches and adaptation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.core.lut3d import Lut3d
from campro.core.types import Detections, Scene
from campro.data.photographs import PHOTOGRAPHS
from campro.isp import RAW, Camera
from campro.models.persons import detector_adaptation, load_detector
from campro.models.persons.detector_adaptation import adapt, augment, detect_scenes, scene_batch
from campro.models.persons.recoloured import RecolouredDetector


@pytest.fixture
def scene(tmp_path):
    """A white box on black, so that a box can be read off the pixels."""
    rgb = np.zeros((120, 200, 3), np.uint8)
    rgb[30:90, 50:110] = 255
    write_image(tmp_path / "scene.png", rgb)
    return Scene(tmp_path / "scene.png", 200, 120, Detections.truth([[50, 30, 110, 90]]), (3600.0,))


@pytest.mark.parametrize("seed", range(12))
def test_boxes_follow_the_pixels(scene, seed):
    pixels, truths = scene_batch([scene], (160, 160), 1, np.random.default_rng(seed))
    rows, columns = np.nonzero(pixels[0].min(2) > 200)
    if len(truths[0]) == 0:
        assert len(rows) == 0
        return
    x0, y0, x1, y1 = truths[0].boxes[0].tolist()
    np.testing.assert_allclose(
        [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], [x0, y0, x1, y1], atol=1.5
    )


def test_what_is_cut_off_is_ignored():
    rgb, truth = np.zeros((100, 100, 3), np.uint8), Detections.truth([[0, 0, 10, 100], [0, 0, 100, 100]])
    for seed in range(20):
        _, seen = augment(rgb, truth, (60, 60), np.random.default_rng(seed))
        area = (seen.boxes[:, 2:] - seen.boxes[:, :2]).prod(1)
        assert (area > 1).all()
        assert (seen.boxes >= 0).all()
        assert (seen.boxes <= 60).all()


def test_a_view_changes_the_picture_and_not_the_place(scene):
    raw, seen = (scene_batch([scene], (96, 96), 3, np.random.default_rng(4), view) for view in (None, Camera("invert")))
    assert all(torch.equal(a.boxes, b.boxes) for a, b in zip(raw[1], seen[1]))
    white = raw[0].min(3) == 255
    assert (seen[0][white] == 0).all()


def test_adaptation_leaves_the_detector_alone_and_is_repeatable(scene):
    detector = load_detector("campro-person")
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    one, two = (adapt(detector, [scene], Camera("invert"), 2, seed=3, batch=2) for _ in range(2))
    assert all(torch.equal(value, before[name]) for name, value in detector.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values()))
    assert not one.training
    assert len(detect_scenes(one, [scene], RAW)) == 1


@pytest.fixture
def portrait(tmp_path):
    """A photograph in which the detector that ships finds somebody."""
    rgb = PHOTOGRAPHS["astronaut"].read()
    write_image(tmp_path / "portrait.png", rgb)
    return Scene(tmp_path / "portrait.png", rgb.shape[1], rgb.shape[0], Detections.truth([]), ())


def test_colours_are_brought_back_before_anything_is_learned(portrait):
    """No step at all: through an invertible camera the 3D LUT alone shows the detector what it knows."""
    detector, invert = load_detector("campro-person"), Camera("invert")
    adapted = adapt(detector, [portrait], invert, 0, seed=0)
    assert isinstance(adapted, RecolouredDetector)
    raw, blind, recoloured = (
        detect_scenes(one, [portrait], view)[0].scores.max()
        for one, view in ((detector, RAW), (detector, invert), (adapted, invert))
    )
    assert abs(recoloured - raw) < 0.05 < abs(blind - raw)


def test_what_does_not_help_is_thrown_away(portrait):
    detector = load_detector("campro-person")
    ruined = adapt(detector, [portrait], Camera("invert"), 2, seed=0, batch=1, lr=10.0)
    untrained = adapt(detector, [portrait], Camera("invert"), 0, seed=0)
    for name, value in untrained.state_dict().items():
        assert torch.equal(value, ruined.state_dict()[name])
    as_it_was = adapt(detector, [portrait], RAW, 2, seed=0, batch=1, lr=10.0)
    for name, value in detector.state_dict().items():
        assert torch.equal(value, as_it_was.state_dict()[name])


def test_scenes_without_people_are_half_of_what_is_learned_from(portrait, tmp_path, monkeypatch):
    """However rare they are: whoever sees none of them learns to find people everywhere."""
    blank = tmp_path / "blank.png"
    write_image(blank, np.full((64, 64, 3), 90, np.uint8))
    empty = Scene(blank, 64, 64, Detections.truth([]), ())
    learned = []
    monkeypatch.setattr(detector_adaptation, "_learn", lambda *told: learned.extend(told[4]))
    adapt(load_detector("campro-person"), [portrait] * 6 + [empty] * 2, Camera("invert"), 1, seed=0)
    assert [scene.path for scene in learned[:4]] == [portrait.path, blank] * 2
    assert sum(scene is empty for scene in learned) == len(learned) / 2


def test_no_scenes():
    with pytest.raises(CamproError, match="at least one scene"):
        scene_batch([], (32, 32), 1, np.random.default_rng(0))


def test_a_recoloured_detector_sees_no_more_than_white():
    """White at every node, whose mixtures end a rounding step beyond one: detectors refuse what is not in [0, 1]."""
    white = torch.nextafter(torch.ones(3, 5, 5, 5), torch.tensor(2.0))
    detector = RecolouredDetector(Lut3d(white).requires_grad_(False), load_detector("campro-person"))
    assert len(detector.detect([torch.rand(3, 64, 64)])) == 1

"""Adaptation of a detector to a camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.core.images import write_image
from campro.core.lut3d import Lut3d
from campro.core.types import Detections, Scene
from campro.data.photographs import PHOTOGRAPHS
from campro.isp import RAW, Camera
from campro.models.persons import adapted_detectors, detector_adaptation, load_detector
from campro.models.persons.adapted_detectors import AdaptationInputs, stored_adaptation
from campro.models.persons.detector_adaptation import (
    KEPT,
    RECOLOURED,
    AdaptationOutcome,
    AtSize,
    adapt,
    detect_scenes,
    with_pseudo_labels,
)
from campro.models.persons.person_detector import DetectorCard, TrainableDetector
from campro.models.persons.recoloured import RecolouredDetector


@pytest.fixture
def scene(tmp_path):
    """A white box on black, so that the pixels give the box."""
    rgb = np.zeros((120, 200, 3), np.uint8)
    rgb[30:90, 50:110] = 255
    write_image(tmp_path / "scene.png", rgb)
    return Scene(tmp_path / "scene.png", 200, 120, Detections.truth([[50, 30, 110, 90]]), (3600.0,))


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
    first, second = (adapt(detector, [scene], Camera("invert"), 2, seed=3, batch=2)[0] for _ in range(2))
    assert all(torch.equal(value, before[name]) for name, value in detector.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values()))
    assert not first.training
    assert len(detect_scenes(first, [scene], RAW)) == 1


@pytest.fixture
def portrait(tmp_path):
    """A photograph without labels in which the detector of the package detects a person."""
    rgb = PHOTOGRAPHS["astronaut"].read()
    write_image(tmp_path / "portrait.png", rgb)
    return Scene(tmp_path / "portrait.png", rgb.shape[1], rgb.shape[0], Detections.truth([]), (), labelled=False)


@pytest.mark.slow
def test_the_lut_alone_restores_the_detections_of_an_invertible_camera(portrait):
    """Without any training step."""
    detector, invert = load_detector("campro-person"), Camera("invert")
    adapted, outcome = adapt(detector, [portrait], invert, 0, seed=0)
    assert isinstance(adapted, RecolouredDetector)
    raw, unadapted, recoloured = (
        detect_scenes(model, [portrait], view)[0].scores.max()
        for model, view in ((detector, RAW), (detector, invert), (adapted, invert))
    )
    assert abs(recoloured - raw) < 0.05 < abs(unadapted - raw)
    assert outcome.chosen == RECOLOURED
    assert outcome.ap > outcome.given_ap


@pytest.mark.slow
def test_training_that_lowers_the_average_precision_is_discarded(portrait, detector):
    ruined, _ = adapt(detector, [portrait], Camera("invert"), 2, seed=0, batch=1, lr=10.0)
    untrained, _ = adapt(detector, [portrait], Camera("invert"), 0, seed=0)
    weights = ruined.state_dict()
    for name, value in untrained.state_dict().items():
        assert torch.equal(value, weights[name])
    unchanged, outcome = adapt(detector, [portrait], RAW, 2, seed=0, batch=1, lr=10.0)
    assert outcome.chosen == KEPT
    assert outcome.ap == outcome.given_ap
    weights = unchanged.state_dict()
    for name, value in detector.state_dict().items():
        assert torch.equal(value, weights[name])


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


def test_few_scenes_without_people_are_not_half_of_a_large_set():
    """They would be seen a hundred times each."""
    turns = detector_adaptation._alternate([list(range(400)), ["empty"] * 4])
    assert turns.count("empty") == 4 * detector_adaptation.MOST_REPEATS
    assert sorted(one for one in turns if one != "empty") == list(range(400))


class OneBox(TrainableDetector):
    """One box of score 0.9 on every image."""

    def __init__(self):
        super().__init__(DetectorCard("one-box", size=(32, 32), licence="", source=""))

    def detect(self, images):
        return [Detections(torch.tensor([[1.0, 2.0, 5.0, 8.0]]), torch.tensor([0.9]), torch.zeros(1).bool())]


def test_only_scenes_without_labels_get_pseudo_labels(scene):
    unlabelled = replace(scene, truth=Detections.truth([]), areas=(), labelled=False)
    kept, labelled = with_pseudo_labels(OneBox(), [scene, unlabelled])
    assert kept is scene
    assert labelled.truth.boxes.tolist() == [[1, 2, 5, 8]]
    assert labelled.areas == (24.0,)
    assert labelled.labelled


@pytest.mark.slow
@pytest.mark.parametrize("behind_lut", [False, True])
def test_an_adapted_detector_is_read_from_the_cache_folder(scene, behind_lut, tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path / "cache"))
    detector, outcome = load_detector("campro-person"), AdaptationOutcome("3D LUT, training step 2", None, 0.25, 7)
    torch.manual_seed(0)
    inner = load_detector("campro-person")
    with torch.no_grad():
        for weight in inner.parameters():
            weight.mul_(1.01)
    made = RecolouredDetector(Lut3d(torch.rand(3, 5, 5, 5)), inner) if behind_lut else inner
    calls = []
    monkeypatch.setattr(adapted_detectors, "adapt", lambda *given: calls.append(given) or (made, outcome))
    for _ in range(2):
        inputs = AdaptationInputs("scenes", RAW, 2, 0)
        read, found = stored_adaptation(detector, inputs, lambda: [scene])
        assert found == outcome
        assert all(torch.equal(a, b) for a, b in zip(read.state_dict().values(), made.state_dict().values()))
    assert len(calls) == 1
    stored_adaptation(detector, replace(inputs, seed=1), lambda: [scene])
    assert len(calls) == 2


def test_small_photographs_are_enlarged_in_front_of_the_camera():
    seen = []

    class Recorder:
        name = digest = "recorder"

        def __call__(self, rgb):
            seen.append(rgb.shape)
            return rgb

    rgb = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    assert AtSize(Recorder(), 160)(rgb).shape == rgb.shape
    assert np.array_equal(AtSize(Recorder(), 20)(rgb), rgb)
    assert seen == [(120, 160, 3), (30, 40, 3)]

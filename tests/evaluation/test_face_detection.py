"""Face detection on a view: by a detector that finds every face, a blind one, and one that finds something else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.images import write_image
from campro.data import read_faces
from campro.evaluation import EvaluationSet, NearestMatcher, identify
from campro.evaluation.face_detection import detect_on_view, end_to_end, face_detection_rate
from campro.isp import RAW, Camera
from campro.models.faces import Landmarks
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder
from campro.models.faces.landmarks import Face

POINTS = np.array([[12.0, 12], [28, 12], [20, 20], [14, 28], [26, 28]])


class FixedDetector:
    """Finds one face at fixed points, or none."""

    scheme, confident_score = "five", 0.5

    def __init__(self, name, points):
        self.name = self.digest = name
        self._points = points

    def detect(self, rgb):
        return [] if self._points is None else [Face((10, 10, 30, 30), 0.9, self._points)]


class Mean(FaceEmbedder):
    """The mean colour of a crop."""

    def __init__(self):
        super().__init__(EmbedderCard("mean", (112, 112), 3, 0.5, 0.5, "arcface-112"))

    def features(self, prepared):
        return prepared.mean((2, 3))


@pytest.fixture
def evaluation(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for who in range(5):
        for i in range(2):
            colour = np.random.default_rng(who).integers(0, 256, 3)
            write_image(
                tmp_path / f"faces/p{who}/{i}.png",
                (colour + rng.integers(0, 3, (40, 40, 3))).clip(0, 255).astype(np.uint8),
            )
    faces = read_faces(tmp_path / "faces")
    return EvaluationSet.of(faces, Landmarks("five", "raw", {photo: POINTS for photo in faces.photos}), repeats=3)


def judged(evaluation, detector, view):
    embedder = Mean()
    on_view = detect_on_view(evaluation, detector, view)
    raw = evaluation.embed(embedder, RAW)
    return face_detection_rate(evaluation, on_view), end_to_end(evaluation, raw, embedder, on_view, view)


def test_where_every_face_is_detected_identification_is_the_usual_one(evaluation):
    view = Camera("invert")
    found, end = judged(evaluation, FixedDetector("all", POINTS), view)
    raw, seen = (evaluation.embed(Mean(), one) for one in (RAW, view))
    usual = identify(raw, {"view": seen}, evaluation.subjects, evaluation.trials, NearestMatcher())["view"]
    assert found.mean() == 1.0
    assert all(torch.equal(one.ranks, other.ranks) for one, other in zip(end.trials, usual.trials))


@pytest.mark.parametrize("points", [None, POINTS + 100], ids=["blind", "elsewhere"])
def test_a_missed_face_is_a_miss_at_every_rank(evaluation, points):
    found, end = judged(evaluation, FixedDetector("misses", points), RAW)
    assert found.mean() == 0.0
    assert end.mean(50) == 0.0  # also where there are fewer people than ranks
    assert end.cmc(50) == [0.0] * 50


def test_landmarks_of_each_view_are_cached_separately(evaluation):
    seen = []

    class Counting(FixedDetector):
        def detect(self, rgb):
            seen.append(int(rgb.mean()))
            return super().detect(rgb)

    detector = Counting("counts", POINTS)
    for view in (RAW, Camera("invert"), RAW):
        detect_on_view(evaluation, detector, view)
    assert len(seen) == 2 * len(evaluation.photos)

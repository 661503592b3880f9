"""Faces on a view: with a detector that finds all, one that is blind, and one that takes something else for a face."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.images import write_image
from campro.data import read_faces
from campro.evaluation import MATCHERS, call_roll, draw_repeats, identify
from campro.evaluation.face_detection import end_to_end, faces_on_view, found_rate
from campro.isp import RAW, Camera
from campro.models.faces import Landmarks, embed_photos
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder
from campro.models.faces.landmarks import Face

POINTS = np.array([[12.0, 12], [28, 12], [20, 20], [14, 28], [26, 28]])


class Finder:
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
def roll(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for who in range(5):
        for i in range(2):
            colour = np.random.default_rng(who).integers(0, 256, 3)
            write_image(
                tmp_path / f"faces/p{who}/{i}.png",
                (colour + rng.integers(0, 3, (40, 40, 3))).clip(0, 255).astype(np.uint8),
            )
    return call_roll(read_faces(tmp_path / "faces"))


@pytest.fixture
def raw(roll):
    return Landmarks("five", "raw", {photo: POINTS for photo in roll.photos})


def judged(roll, raw, finder, view):
    draws, embedder = draw_repeats(roll, 3, 0), Mean()
    on_view = faces_on_view(roll, raw, finder, view)
    rows = embed_photos(embedder, roll.photos, raw, RAW)
    return found_rate(roll, on_view, draws), end_to_end(roll, rows, embedder, on_view, view, draws)


def test_who_finds_the_raw_face_recognises_as_by_default(roll, raw):
    view, draws = Camera("invert"), draw_repeats(roll, 3, 0)
    found, end = judged(roll, raw, Finder("sees", POINTS), view)
    rows = {name: embed_photos(Mean(), roll.photos, raw, one) for name, one in (("raw", RAW), ("view", view))}
    default = identify(rows["raw"], {"view": rows["view"]}, roll.owner, draws, MATCHERS["nearest"]())["view"]
    assert found.mean() == 1.0
    assert all(torch.equal(one.ranks, other.ranks) for one, other in zip(end.trials, default.trials))


@pytest.mark.parametrize("points", [None, POINTS + 100], ids=["blind", "elsewhere"])
def test_who_finds_nothing_recognises_nobody(roll, raw, points):
    found, end = judged(roll, raw, Finder("lost", points), RAW)
    assert found.mean() == 0.0
    assert end.mean(50) == 0.0  # also where there are fewer people than ranks
    assert end.cmc(50) == [0.0] * 50


def test_views_are_remembered_apart(roll, raw, tmp_path):
    seen = []

    class Counting(Finder):
        def detect(self, rgb):
            seen.append(int(rgb.mean()))
            return super().detect(rgb)

    finder = Counting("counts", POINTS)
    for view in (RAW, Camera("invert"), RAW):
        faces_on_view(roll, raw, finder, view)
    assert len(seen) == 2 * len(roll.photos)

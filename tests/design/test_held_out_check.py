"""The check on held-out people, on faces of flat colours."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.images import write_image
from campro.data import read_faces
from campro.design import held_out_check
from campro.isp import load_profile
from campro.models.faces import Landmarks
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

POINTS = np.array([[12.0, 12], [28, 12], [20, 20], [14, 28], [26, 28]])
COLOURS = {"red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250), "cyan": (5, 245, 245)}


class MeanColour(FaceEmbedder):
    def __init__(self):
        super().__init__(EmbedderCard("mean colour", (112, 112), 3, 0.0, 1.0, "arcface-112"))

    def features(self, prepared):
        return prepared.mean((2, 3))


@pytest.fixture
def held_out(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(held_out_check, "load_face_detector", lambda name: name)
    monkeypatch.setattr(
        held_out_check,
        "find_landmarks",
        lambda photos, *_: Landmarks("five", "fixed", {photo: POINTS for photo in photos}),
    )

    def make(counts):
        for name, count in counts.items():
            for number in range(count):
                face = np.full((40, 40, 3), COLOURS[name], np.uint8)
                face[number] = 128  # no two photographs are equal
                write_image(tmp_path / f"faces/{name}/{number}.png", face)
        return read_faces(tmp_path / "faces")

    return make


def test_rates_by_hand(held_out):
    """The negative of red is cyan's colour and that of cyan red's: captured, each is taken for the other."""
    faces = held_out({"red": 2, "cyan": 2, "blue": 1})
    found = held_out_check.held_out_rank1(load_profile("identity"), MeanColour(), faces, "fixed", 0)
    assert found == {"held_out_people": 2.0, "held_out_rank1_raw": 1.0, "held_out_rank1_captured": 1.0}
    found = held_out_check.held_out_rank1(load_profile("invert"), MeanColour(), faces, "fixed", 0)
    assert found == {"held_out_people": 2.0, "held_out_rank1_raw": 1.0, "held_out_rank1_captured": 0.0}


@pytest.mark.parametrize("counts", [{"red": 2, "blue": 1}, {"red": 1, "blue": 1}])
def test_fewer_than_two_people_have_no_rate(held_out, counts):
    assert held_out_check.held_out_rank1(load_profile("identity"), MeanColour(), held_out(counts), "fixed", 0) == {}

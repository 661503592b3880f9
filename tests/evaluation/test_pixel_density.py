from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.core.images import read_image, write_image
from campro.data.faces import read_faces
from campro.evaluation import EvaluationSet
from campro.evaluation.pixel_density import (
    PUPIL_DISTANCE,
    at_density,
    density_of,
    distant_faces,
    level_name,
    pupil_distance,
    shrink,
)
from campro.models.faces import Landmarks

FIVE = np.array([[20.0, 30], [52, 30], [36, 40], [25, 55], [47, 55]])
"""Pupils 32 pixels apart: 508 px/m."""


def faces_of(folder, scales=(1.0, 1.0, 0.5)):
    """Three people with a photograph per scale; a white dot marks the left pupil."""
    found = {}
    for person in range(3):
        for number, scale in enumerate(scales):
            side = round(64 * scale)
            rgb = np.full((side, side, 3), 40 + 20 * person, np.uint8)
            x, y = np.round(FIVE[0] * scale).astype(int)
            rgb[y - 3 : y + 4, x - 3 : x + 4] = 250
            path = folder / f"p{person}" / f"{number}.png"
            write_image(path, rgb)
            found[path] = (FIVE + 0.5) * scale - 0.5
    return read_faces(folder), Landmarks("five", "test", found)


def test_densities_are_those_of_the_pupils():
    assert density_of(FIVE, "five") == pytest.approx(32 / 0.063)
    corners = np.array([[10.0, 0], [20, 0], [70, 0], [80, 0], [40, 40]])  # eyes at 15 and 75
    assert pupil_distance(corners, "dlib") == 60
    assert PUPIL_DISTANCE == 0.063


def test_levels_have_the_names_of_the_standard():
    assert level_name(40.0) == "40 px/m (outline)"
    assert level_name(62.5) == "62.5 px/m"


@given(st.integers(8, 90), st.integers(8, 90), st.floats(0.05, 1))
def test_shrinking_keeps_the_mean_level(height, width, ratio):
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if min(round(height * ratio), round(width * ratio)) < 8:
        with pytest.raises(CamproError, match="8 x 8"):
            shrink(rgb, ratio)
        return
    small = shrink(rgb, ratio)
    assert small.shape[:2] == (round(height * ratio), round(width * ratio))
    assert abs(float(small.mean()) - float(rgb.mean())) < 1


def test_shrinking_by_half_averages_four_pixels():
    rgb = np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    blocks = rgb.reshape(16, 2, 24, 2, 3).astype(float).mean((1, 3))
    assert np.abs(shrink(rgb, 0.5) - blocks).max() <= 0.5


@pytest.mark.parametrize("ratio", [0.0, -1.0, 1.01])
def test_only_shrinking_is_allowed(ratio):
    with pytest.raises(CamproError, match="ratio"):
        shrink(np.zeros((32, 32, 3), np.uint8), ratio)


def test_copies_have_the_density_and_their_landmarks_fit(tmp_path):
    faces, landmarks = faces_of(tmp_path / "faces")
    distant = distant_faces(faces.photos, landmarks, 127.0, tmp_path / "cache")
    assert len(distant.copies) == 9 and not distant.left_out
    for photo, copy in distant.copies.items():
        points, small = distant.landmarks.found[copy], read_image(copy)
        assert density_of(points, "five") == pytest.approx(127, rel=0.02)
        x, y = np.round(points[0]).astype(int)
        assert small[y, x].min() > small[-1, -1].max() + 50, photo  # the dot is where the landmark is
    assert distant.landmarks.interpolation == "bicubic"


def test_photographs_of_a_lower_density_are_left_out_and_counted(tmp_path):
    faces, landmarks = faces_of(tmp_path / "faces")
    distant = distant_faces(faces.photos, landmarks, 400.0, tmp_path / "cache")
    assert len(distant.left_out) == 3 and all(photo.name == "2.png" for photo in distant.left_out)
    with pytest.raises(CamproError, match=r"at most 508 px/m.*--densities"):
        distant_faces(faces.photos, landmarks, 600.0, tmp_path / "cache")
    with pytest.raises(CamproError, match="positive"):
        distant_faces(faces.photos, landmarks, 0.0, tmp_path / "cache")


def test_each_copy_is_made_once_and_again_for_other_landmarks(tmp_path, monkeypatch):
    faces, landmarks = faces_of(tmp_path / "faces")
    first = distant_faces(faces.photos, landmarks, 127.0, tmp_path / "cache")
    monkeypatch.setattr("campro.evaluation.pixel_density.shrink", lambda *_: pytest.fail("shrunk again"))
    again = distant_faces(faces.photos, landmarks, 127.0, tmp_path / "cache")
    assert again.copies == first.copies
    moved = Landmarks("five", "other", {photo: points * 0.9 for photo, points in landmarks.found.items()})
    monkeypatch.undo()
    other = distant_faces(faces.photos, moved, 127.0, tmp_path / "cache")
    assert not set(other.copies.values()) & set(first.copies.values())


def test_both_sides_have_the_same_order_and_trials(tmp_path):
    faces, landmarks = faces_of(tmp_path / "faces", (1.0, 0.5, 1.0, 1.0))
    evaluation = EvaluationSet.of(faces, landmarks, repeats=4)
    far = at_density(evaluation, 300.0, tmp_path / "cache")
    near = far.original
    assert near is not None and near.people == far.people == 3
    assert len(near.photos) == len(far.photos) == 9  # those of 254 px/m are left out of both
    assert torch.equal(near.subjects, far.subjects)
    for one, other in zip(near.trials, far.trials, strict=True):
        assert torch.equal(one.probe, other.probe) and torch.equal(one.gallery, other.gallery)
    for photo, copy in zip(near.photos, far.photos, strict=True):
        assert read_image(copy)[-1, -1, 0] == read_image(photo)[-1, -1, 0]  # the level that marks the person


def test_photographs_that_would_be_tiny_are_left_out(tmp_path):
    faces, landmarks = faces_of(tmp_path / "faces")  # 64 and 32 pixels high; at 100 px/m 12.6 and 12.6
    assert len(distant_faces(faces.photos, landmarks, 100.0, tmp_path / "cache").copies) == 9
    assert len(distant_faces(faces.photos, landmarks, 60.0, tmp_path / "cache").left_out) == 9

"""Alignment: the similarity in closed form, dlib's own chip, and the cache of embeddings."""

from __future__ import annotations

import dlib
import numpy as np
import pytest
import skimage
import torch

from campro.core.errors import CamproError
from campro.core.images import to_tensor, write_image
from campro.data.facemodel import FaceModel
from campro.isp import RAW, Camera
from campro.models.faces import (
    FaceEmbedder,
    align,
    crop_photos,
    embed_photos,
    find_landmarks,
    load_embedder,
    load_face_detector,
)
from campro.models.faces.align import TEMPLATES, crop_with, similarity
from campro.models.faces.landmarks import Face, main_face


def test_similarity_recovers_rotation_scale_and_shift():
    template = TEMPLATES["arcface-112", "five"]
    angle, scale = 0.4, 2.5
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (template - (7, -3)) @ np.linalg.inv(turn).T  # so that turn @ p + (7, -3) is the template
    found = similarity(points, template)
    np.testing.assert_allclose(found, np.column_stack([turn, (7, -3)]), atol=1e-8)


def test_coinciding_landmarks_are_refused():
    with pytest.raises(CamproError, match="distinct"):
        similarity(np.ones((5, 2)), TEMPLATES["arcface-112", "five"])


def test_same_chip_as_dlib():
    rgb = skimage.data.astronaut()
    finder = load_face_detector("dlib")
    face = main_face(finder.detect(rgb), *rgb.shape[:2])
    ours = crop_with(rgb, face.points, "dlib", load_embedder("dlib-resnet29", weights=None).card)
    shape = dlib.full_object_detection(
        dlib.rectangle(*(int(v) for v in face.box)), [dlib.point(int(x), int(y)) for x, y in face.points]
    )
    chip = dlib.get_face_chip(rgb, shape, size=150, padding=0.25)
    # dlib resamples through an image pyramid, so pixels differ a little; a shift by two of them would show at once
    shifts = [(x, y) for x in (-2, 0, 2) for y in (-2, 0, 2)]
    inner = ours[4:-4, 4:-4].astype(int)
    error = {(x, y): np.abs(inner - chip[4 + y : 146 + y, 4 + x : 146 + x]).mean() for x, y in shifts}
    assert min(error, key=error.get) == (0, 0)
    assert error[0, 0] < 6


def test_align_finds_the_astronaut_and_nobody_in_gravel():
    card = load_embedder("mobilefacenet", weights=None).card
    assert align(skimage.data.astronaut(), card).shape == (1, 3, *card.size)
    assert align(np.dstack([skimage.data.gravel()] * 3), card).shape == (0, 3, *card.size)
    with pytest.raises(CamproError, match="align"):
        align(skimage.data.gravel(), card)


def test_main_face_is_large_and_central():
    def face(x, y, side):
        return Face((x, y, x + side, y + side), 1.0, np.zeros((5, 2)))

    centre, corner, small = face(80, 80, 40), face(0, 0, 44), face(90, 90, 20)
    assert main_face([corner, small, centre], 200, 200) is centre
    assert main_face([], 200, 200) is None


class Counting(FaceEmbedder):
    """Mean colours as embedding; counts the faces that it is shown."""

    def __init__(self):
        super().__init__(load_embedder("dlib-resnet29", weights=None).card)
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.seen = 0

    def features(self, prepared):
        self.seen += len(prepared)
        return prepared.mean((2, 3)) * self.scale + 1


@pytest.fixture
def photos(tmp_path):
    paths = []
    for i, person in enumerate(FaceModel.load().sample(3, 1, seed=1)):
        paths.append(tmp_path / f"photos/{i}.png")
        write_image(paths[-1], person[0])
    write_image(tmp_path / "photos/nobody.png", np.full((160, 160, 3), 90, np.uint8))
    (tmp_path / "photos/broken.png").write_bytes(b"not a picture")
    return [*paths, tmp_path / "photos/nobody.png", tmp_path / "photos/broken.png"]


def test_everything_is_embedded_once_and_nothing_is_dropped_in_silence(photos, tmp_path):
    landmarks = find_landmarks(photos, load_face_detector("dlib"), tmp_path / "cache")
    assert len(landmarks.found) == 3
    assert landmarks.missed == (photos[3],)
    assert len(landmarks.problems) == 1
    assert "broken.png" in landmarks.problems[0]
    embedder, some = Counting(), photos[:3]
    first = embed_photos(embedder, some, landmarks, RAW, tmp_path / "cache")
    assert embedder.seen == 3
    copy = tmp_path / "renamed.png"
    copy.write_bytes(some[0].read_bytes())
    again = find_landmarks([*some, copy], load_face_detector("dlib"), tmp_path / "cache")
    rows = embed_photos(embedder, [*some, copy], again, RAW, tmp_path / "cache")
    assert embedder.seen == 3  # known by content, whatever the file is called
    torch.testing.assert_close(rows, torch.cat([first, first[:1]]))
    other = embed_photos(embedder, some, landmarks, Camera("invert"), tmp_path / "cache")
    assert embedder.seen == 6
    assert not torch.allclose(other, first)
    with torch.no_grad():
        embedder.scale.mul_(2)
    embed_photos(embedder, some, landmarks, RAW, tmp_path / "cache")
    assert embedder.seen == 9  # other weights, other embeddings


@pytest.mark.parametrize("differentiable", [True, False])
def test_only_what_runs_in_torch_is_compiled(differentiable, photos, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("campro.models.faces.embedding.COMPILE_FROM", 3)
    monkeypatch.setattr(
        "campro.models.faces.embedding.compiled", lambda network, enabled: asked.append(enabled) or network
    )
    landmarks, embedder = find_landmarks(photos, load_face_detector("dlib"), tmp_path / "cache"), Counting()
    embedder.differentiable = differentiable
    embed_photos(embedder, photos[:3], landmarks, RAW, tmp_path / "cache")
    assert asked == [differentiable]


def test_half_precision_is_close_and_kept_apart(photos, tmp_path):
    """dlib's recogniser: rows that are rounded never stand in for exact ones."""
    landmarks = find_landmarks(photos[:3], load_face_detector("dlib"), tmp_path / "cache")
    embedder = load_embedder("dlib-resnet29")
    rounded = embed_photos(embedder, photos[:3], landmarks, RAW, tmp_path / "cache", bfloat16=True)
    exact = embed_photos(embedder, photos[:3], landmarks, RAW, tmp_path / "cache")
    with torch.no_grad():
        crops = crop_photos(photos[:3], landmarks, embedder.card)
        torch.testing.assert_close(exact, embedder(to_tensor(crops)))
    assert (rounded * exact).sum(1).min() > 0.999
    assert rounded.dtype == torch.float32


def test_the_view_is_of_the_whole_photograph(photos, tmp_path):
    landmarks = find_landmarks(photos[:1], load_face_detector("dlib"), tmp_path / "cache")
    card = load_embedder("dlib-resnet29", weights=None).card
    raw, inverted = (crop_photos(photos[:1], landmarks, card, view) for view in (None, Camera("invert")))
    inside = raw[0].min(2) > 0  # black outside the photograph in both
    assert np.abs(255 - raw[0].astype(int) - inverted[0])[inside].max() <= 1


def test_a_photograph_without_a_face_cannot_be_embedded(photos, tmp_path):
    landmarks = find_landmarks(photos[:4], load_face_detector("dlib"), tmp_path / "cache")
    with pytest.raises(CamproError, match=r"nobody\.png"):
        embed_photos(Counting(), photos[:4], landmarks, RAW, tmp_path / "cache")

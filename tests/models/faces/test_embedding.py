"""Crops and embeddings of photographs, and their cache."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.isp import RAW, Camera
from campro.models.faces import (
    FaceEmbedder,
    crop_photos,
    embed_photos,
    find_landmarks,
    load_embedder,
    load_face_detector,
)

CARD = load_embedder("dlib-resnet29", weights=None).card


class Counting(FaceEmbedder):
    """Mean colours as embedding; counts the crops."""

    def __init__(self):
        super().__init__(load_embedder("dlib-resnet29", weights=None).card)
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.count = 0

    def features(self, prepared):
        self.count += len(prepared)
        return prepared.mean((2, 3)) * self.scale + 1


def test_embeddings_are_computed_once_per_content_weights_and_view(photos, tmp_path):
    landmarks = find_landmarks(photos, load_face_detector("dlib"), tmp_path / "cache")
    embedder, readable = Counting(), photos[:3]
    first = embed_photos(embedder, readable, landmarks, RAW, tmp_path / "cache")
    assert embedder.count == 3
    copy = tmp_path / "renamed.png"
    copy.write_bytes(readable[0].read_bytes())
    again = find_landmarks([*readable, copy], load_face_detector("dlib"), tmp_path / "cache")
    repeated = embed_photos(embedder, [*readable, copy], again, RAW, tmp_path / "cache")
    assert embedder.count == 3  # the key is the content, not the name of the file
    torch.testing.assert_close(repeated, torch.cat([first, first[:1]]))
    other = embed_photos(embedder, readable, landmarks, Camera("invert"), tmp_path / "cache")
    assert embedder.count == 6
    assert not torch.allclose(other, first)
    with torch.no_grad():
        embedder.scale.mul_(2)
    embed_photos(embedder, readable, landmarks, RAW, tmp_path / "cache")
    assert embedder.count == 9  # other weights, other embeddings


def test_an_edited_card_of_an_onnx_file_gives_new_embeddings(photos, tmp_path):
    landmarks, embedder = find_landmarks(photos, load_face_detector("dlib"), tmp_path / "cache"), Counting()
    embedder.card_of_file = True
    first = embed_photos(embedder, photos[:2], landmarks, RAW, tmp_path / "cache")
    for change in ({"mean": 0.25}, {"std": 0.5}, {"order": "bgr"}, {"output": "embedding"}):
        embedder.card, before = replace(CARD, **change), embedder.count
        again = embed_photos(embedder, photos[:2], landmarks, RAW, tmp_path / "cache")
        assert embedder.count == before + 2
        assert "output" in change or not torch.allclose(first, again)


@pytest.mark.parametrize("differentiable", [True, False])
def test_only_differentiable_networks_are_compiled(differentiable, photos, tmp_path, monkeypatch):
    requests = []
    monkeypatch.setattr("campro.models.faces.embedding.COMPILE_FROM", 3)
    monkeypatch.setattr(
        "campro.models.faces.embedding.compiled", lambda network, enabled: requests.append(enabled) or network
    )
    landmarks, embedder = find_landmarks(photos, load_face_detector("dlib"), tmp_path / "cache"), Counting()
    embedder.differentiable = differentiable
    embed_photos(embedder, photos[:3], landmarks, RAW, tmp_path / "cache")
    assert requests == [differentiable]


def test_bfloat16_embeddings_are_accurate_and_stored_separately(photos, tmp_path):
    """With dlib's embedder."""
    landmarks = find_landmarks(photos[:3], load_face_detector("dlib"), tmp_path / "cache")
    embedder = load_embedder("dlib-resnet29")
    rounded = embed_photos(embedder, photos[:3], landmarks, RAW, tmp_path / "cache", bfloat16=True)
    exact = embed_photos(embedder, photos[:3], landmarks, RAW, tmp_path / "cache")
    with torch.no_grad():
        crops = crop_photos(photos[:3], landmarks, embedder.card)
        torch.testing.assert_close(exact, embedder(to_tensor(crops)))
    assert (rounded * exact).sum(1).min() > 0.999
    assert rounded.dtype == torch.float32


def test_the_view_is_applied_to_the_whole_photograph(photos, tmp_path):
    landmarks = find_landmarks(photos[:1], load_face_detector("dlib"), tmp_path / "cache")
    card = load_embedder("dlib-resnet29", weights=None).card
    raw, inverted = (crop_photos(photos[:1], landmarks, card, view) for view in (None, Camera("invert")))
    inside = raw[0].min(2) > 0  # black outside the photograph in both
    assert np.abs(255 - raw[0].astype(int) - inverted[0])[inside].max() <= 1


def test_a_photograph_without_a_face_cannot_be_embedded(photos, tmp_path):
    landmarks = find_landmarks(photos[:4], load_face_detector("dlib"), tmp_path / "cache")
    with pytest.raises(CamproError, match=r"nobody\.png"):
        embed_photos(Counting(), photos[:4], landmarks, RAW, tmp_path / "cache")


def test_a_damaged_cache_file_is_refused(photos, tmp_path):
    landmarks, embedder = find_landmarks(photos[:1], load_face_detector("dlib"), tmp_path), Counting()
    embed_photos(embedder, photos[:1], landmarks, RAW, tmp_path)
    (file,) = (tmp_path / "embeddings").iterdir()
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(CamproError, match=rf"{file.name}: expected cached embeddings"):
        embed_photos(embedder, photos[:1], landmarks, RAW, tmp_path)


def test_a_flipped_bit_in_the_cache_never_changes_an_embedding(photos, tmp_path):
    landmarks, embedder = find_landmarks(photos[:2], load_face_detector("dlib"), tmp_path), Counting()
    right = embed_photos(embedder, photos[:2], landmarks, RAW, tmp_path)
    (file,) = (tmp_path / "embeddings").iterdir()
    raw, noticed = file.read_bytes(), 0
    for place in np.random.default_rng(0).integers(0, len(raw), 60).tolist():
        file.write_bytes(raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1 :])
        try:
            assert torch.equal(embed_photos(embedder, photos[:2], landmarks, RAW, tmp_path), right)
        except CamproError as error:
            assert "cached embeddings" in str(error)
            noticed += 1
    assert noticed > 30  # the others are in fields of the archive that nobody reads


def test_other_weights_another_view_and_other_landmarks_are_not_answered_from_the_cache(photos, tmp_path):
    landmarks = find_landmarks(photos[:1], load_face_detector("dlib"), tmp_path)
    weights = [replace(Counting().card, weights_sha256=digest * 64) for digest in "ab"]
    moved = replace(landmarks, digest="other")
    for card, marks, view in (
        (weights[0], landmarks, RAW),
        (weights[1], landmarks, RAW),
        (weights[0], moved, RAW),
        (weights[0], landmarks, Camera("invert")),
    ):
        embedder = Counting()
        embedder.card = card
        embed_photos(embedder, photos[:1], marks, view, tmp_path)
        assert embedder.count > 0

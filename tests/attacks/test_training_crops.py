"""The split into training and validation set, and the parts of a training step on crops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.filters import invert
from campro.attacks.training_crops import (
    SHIFT,
    CropPairs,
    augmented,
    embed_crops,
    subset_sizes,
    teacher_embeddings,
    training_crops,
)
from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.data import FaceSet
from campro.isp import Camera
from campro.models.faces.landmarks import Landmarks

POINTS = np.array([[90, 90], [110, 90], [100, 100], [92, 110], [108, 110]], float)


@pytest.fixture
def crops():
    raw = np.random.default_rng(0).integers(0, 256, (100, 16, 16, 3), dtype=np.uint8)
    return CropPairs(raw, 255 - raw, torch.zeros(100, dtype=torch.long))


@pytest.fixture
def knowledge(tiny_embedder, tmp_path):
    """Ten people, each with two photographs of one level."""
    people, points = {}, {}
    for person in range(10):
        photos = tuple(tmp_path / f"{person}-{i}.png" for i in range(2))
        for photo in photos:
            write_image(photo, np.full((200, 200, 3), 20 * person + 10, np.uint8))
            points[photo] = POINTS
        people[f"person {person}"] = photos
    landmarks = Landmarks("five", "by hand", points)
    faces = FaceSet("ten", tmp_path, people)
    return AttackerKnowledge(tiny_embedder(), 0, faces=faces, landmarks=landmarks, cameras=(Camera("invert"),))


def test_training_and_validation_people_are_disjoint(knowledge, cache):
    training_set, validation_set = training_crops(knowledge, cache)
    assert (len(training_set), len(validation_set)) == (16, 4)
    levels = [{int(crop[8, 8, 0]) for crop in crops.raw} for crops in (training_set, validation_set)]
    assert not levels[0] & levels[1]
    assert levels[0] | levels[1] == set(range(10, 200, 20))
    for crops in (training_set, validation_set):
        captured = Camera("invert")(crops.raw[:, 8:9, 8])
        np.testing.assert_array_equal(crops.captured[:, 8:9, 8], captured)
        assert len(set(zip(crops.subjects.tolist(), crops.raw[:, 8, 8, 0].tolist()))) == len(crops) // 2


def test_crops_are_cut_once_for_equal_knowledge(knowledge, cache):
    crops = training_crops(knowledge, cache)
    assert training_crops(replace(knowledge), cache) is crops
    assert training_crops(replace(knowledge, seed=1), cache) is not crops


def test_no_faces_are_an_error(knowledge, cache):
    with pytest.raises(CamproError, match="--train-faces"):
        training_crops(replace(knowledge, faces=None), cache)


def test_subsets_and_transforms(crops):
    subset = crops.subset(np.array([3, 1]))
    np.testing.assert_array_equal(subset.raw, crops.raw[[3, 1]])
    restored = subset.transformed(invert)
    np.testing.assert_array_equal(restored.captured, subset.raw)
    np.testing.assert_array_equal(restored.raw, subset.raw)
    assert restored.raw_digest == subset.raw_digest != crops.raw_digest


def test_subset_sizes_are_below_the_whole(knowledge, standard):
    small = replace(standard, subset_sizes=(5, 20, 40))
    assert subset_sizes(replace(knowledge, budget=small)) == (5,)
    assert subset_sizes(replace(knowledge, budget=small, faces=None)) == ()


def test_embeddings_of_crops_and_their_mirror_images(tiny_embedder, crops):
    embedder = tiny_embedder().train()
    direct = embedder(torch.from_numpy(crops.raw).permute(0, 3, 1, 2) / 255).detach()
    torch.testing.assert_close(embed_crops(embedder, crops.raw), direct)
    mirrored = np.ascontiguousarray(crops.raw[:, :, ::-1])
    torch.testing.assert_close(embed_crops(embedder, crops.raw, mirrored=True), embed_crops(embedder, mirrored))
    assert embedder.training  # as before


def test_teacher_embeddings_are_of_the_raw_crops(knowledge, cache, crops):
    """Computed once for all training sets with the same raw crops."""
    found = teacher_embeddings(knowledge, cache, crops)
    assert teacher_embeddings(knowledge, cache, crops.transformed(invert)) is found
    torch.testing.assert_close(found[0], embed_crops(knowledge.embedder, crops.raw))
    fewer = teacher_embeddings(knowledge, cache, crops.subset(np.arange(5)))
    assert len(fewer[0]) == 5


def test_augmentation_shifts_all_crops_by_the_same_pixels(crops):
    shifted = augmented(crops.raw, np.random.default_rng(0), torch.device("cpu"))
    raw = torch.from_numpy(crops.raw).permute(0, 3, 1, 2) / 255
    shifts = range(-SHIFT, SHIFT + 1)
    assert any(torch.allclose(shifted, torch.roll(raw, (down, right), (2, 3))) for down in shifts for right in shifts)

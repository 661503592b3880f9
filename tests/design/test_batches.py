"""Batches: each crop stays with its person, mirroring is exact, and the generator decides everything."""

from __future__ import annotations

import numpy as np
import torch

from campro.design.batches import FaceCrops, face_batch

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
FACES = FaceCrops(PIXELS, np.array([0, 0, 1, 2, 2]), 3)


def test_every_crop_is_one_of_its_person_or_its_mirror_image():
    crops, person = face_batch(FACES, 40, np.random.default_rng(1))
    assert crops.shape == (40, 3, 4, 6)
    mirrored = 0
    for crop, who in zip((crops * 255).round().permute(0, 2, 3, 1).numpy().astype(np.uint8), person):
        own = PIXELS[FACES.person == int(who)]
        plain, flipped = (any((crop == one).all() for one in some) for some in (own, own[:, :, ::-1]))
        assert plain or flipped
        mirrored += flipped
    assert 8 <= mirrored <= 32


def test_a_small_batch_has_no_crop_twice_and_the_same_generator_gives_the_same_batch():
    crops, person = face_batch(FACES, 5, np.random.default_rng(2))
    assert sorted(person.tolist()) == [0, 0, 1, 2, 2]
    again, _ = face_batch(FACES, 5, np.random.default_rng(2))
    assert torch.equal(crops, again)

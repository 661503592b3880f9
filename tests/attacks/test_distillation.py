"""Distilled copies agree with the recogniser on raw faces of other people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.attacks import distillation, retraining
from campro.attacks.attack_base import AttackerKnowledge, TrainingResult
from campro.attacks.attack_table import find_attack
from campro.attacks.budget import TrainingSettings
from campro.attacks.distillation import distil, distilled_copy
from campro.attacks.filters import FILTERS
from campro.attacks.training_crops import CropPairs
from campro.core.images import to_tensor
from campro.isp import load_profile

RESULT = TrainingResult((0.0, 1.0), converged=True)


def test_copies_plain_behind_a_map_and_behind_the_inverse(trainable, cache):
    knowledge = replace(trainable, profiles=(load_profile("campro-default"),))
    for name, run in (
        ("distillation", "all photographs, learning rate 0.001"),
        ("colour maps, distillation", "3D LUT, learning rate 0.001"),
        ("analytic inversion, distillation", "per-pixel inverse, learning rate 0.001"),
    ):
        assert list(find_attack(name).runs(knowledge, cache)) == [run]
        assert not find_attack(name).runs(replace(knowledge, faces=None), cache)
    blurs = replace(knowledge, profiles=(load_profile("defocus-9-3"),))
    assert not find_attack("analytic inversion, distillation").runs(blurs, cache)


def test_copies_are_trained_once_for_all_attacks(trainable, cache, two_crops, tiny_embedder, monkeypatch):
    trained = []
    for module in (distillation, retraining):
        monkeypatch.setattr(module, "training_crops", lambda knowledge, cache: (two_crops, two_crops))
    monkeypatch.setattr(distillation, "distil", lambda *given: trained.append(given) or (tiny_embedder(), RESULT))
    monkeypatch.setattr(retraining, "retrain", lambda knowledge, cache, initial, *given: (initial, RESULT))
    attacks = ("distillation", "several probe images, distillation", "retraining")
    runs = [run for name in attacks for run in find_attack(name).runs(trainable, cache).items()]
    copies = [make().embedder for name, make in runs if "all photographs" in name or name.startswith("distilled")]
    assert len(copies) == 5
    assert len({id(copy) for copy in copies}) == len(trained) == 1


def test_each_transform_size_and_settings_has_its_own_copy(trainable, cache, two_crops, tiny_embedder, monkeypatch):
    given = []
    monkeypatch.setattr(distillation, "training_crops", lambda knowledge, cache: (two_crops, two_crops))
    monkeypatch.setattr(distillation, "distil", lambda *args: given.append(args) or (tiny_embedder(), RESULT))
    first, second = trainable.budget.settings[0], TrainingSettings(1e-3, seed=1)
    invert = FILTERS[0]
    for args in ((first,), (second,), (first, 1), (first, None, lambda knowledge, cache: invert), (first,)):
        distilled_copy(trainable, cache, *args)
    assert len(given) == 4
    assert [args[4] for args in given] == [2, 2, 1, 2]
    assert [int(args[2].captured[0, 0, 0, 0]) for args in given] == [0, 0, 0, 255]


@pytest.mark.slow
def test_a_copy_learns_the_embeddings_of_raw_faces(tiny_embedder, standard, cache):
    """Captured crops are negatives; the copy agrees with the recogniser on people of the validation set."""
    teacher, rng = tiny_embedder().eval(), np.random.default_rng(0)
    crops = rng.integers(0, 256, (600, 16, 16, 3), dtype=np.uint8)
    faces = CropPairs(crops, 255 - crops, torch.zeros(600, dtype=torch.long))
    training_set, validation_set = faces.subset(np.arange(500)), faces.subset(np.arange(500, 600))
    knowledge = AttackerKnowledge(teacher, 0, budget=standard)
    student, result = distil(knowledge, cache, training_set, validation_set, 500, TrainingSettings(1e-2))
    with torch.no_grad():
        target = teacher(to_tensor(validation_set.raw))
        captured = to_tensor(validation_set.captured)
        before, after = ((one(captured) * target).sum(1).mean() for one in (teacher, student))
    assert after > before + 0.2
    assert max(result.curve) == pytest.approx(float(after), abs=1e-4)
    assert student.card.weights_sha256 is None

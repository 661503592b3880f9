"""Distillation: a copy of the recogniser learns to embed a captured face as the original embeds the raw one.

The training needs no names (Hinton et al., 2015, with embeddings in place of class scores).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from campro.attacks.analytic_inversion import is_invertible, pixel_inverse
from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs, TrainingResult
from campro.attacks.attack_cache import AttackCache
from campro.attacks.budget import TrainingSettings
from campro.attacks.colour_maps import fitted_lut
from campro.attacks.student_networks import compiled_for_training, trainable_copy
from campro.attacks.training_crops import (
    CropPairs,
    Indices,
    augmented,
    embed_crops,
    subset_sizes,
    teacher_embeddings,
    training_crops,
)
from campro.attacks.training_run import TrainingRun
from campro.core.device import device_of
from campro.core.types import ImageTransform
from campro.models.faces.embedder_card import FaceEmbedder

InputTransform = Callable[[AttackerKnowledge, AttackCache], ImageTransform]
"""Makes the transform that captured images pass before the copy; it is fitted where needed."""

Distilled = tuple[FaceEmbedder, TrainingResult]


def distillation_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """One copy for each size of the training set, and those from the whole set."""
    if not _can_train(knowledge):
        return {}
    first = knowledge.budget.settings[0]
    runs: Runs = {
        f"{size} photographs": partial(_copy, knowledge, cache, size, first) for size in subset_sizes(knowledge)
    }
    return {**runs, **whole_set_runs(knowledge, cache)}


def whole_set_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Copies trained on the whole set, without an input transform."""
    return _runs(knowledge, cache, "all photographs")


def map_copy_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Copies behind a 3D LUT, the most flexible colour map."""
    return _runs(knowledge, cache, "3D LUT", fitted_lut)


def inversion_copy_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Copies behind the per-pixel inverse of the profile, which is more exact than any fitted map."""
    return _runs(knowledge, cache, "per-pixel inverse", pixel_inverse) if is_invertible(knowledge) else {}


def _runs(
    knowledge: AttackerKnowledge, cache: AttackCache, label: str, transform: InputTransform | None = None
) -> Runs:
    """One copy for each settings of the budget, from the whole training set."""
    if not _can_train(knowledge):
        return {}
    return {
        f"{label}, {settings}": partial(_copy, knowledge, cache, None, settings, transform)
        for settings in knowledge.budget.settings
    }


def _can_train(knowledge: AttackerKnowledge) -> bool:
    return knowledge.embedder.differentiable and knowledge.faces is not None


def _copy(
    knowledge: AttackerKnowledge,
    cache: AttackCache,
    size: int | None,
    settings: TrainingSettings,
    transform: InputTransform | None = None,
) -> Adversary:
    student, result = distilled_copy(knowledge, cache, settings, size, transform)
    used = size or len(training_crops(knowledge, cache)[0])
    transforms = (transform(knowledge, cache),) if transform else ()
    return Adversary(transforms, embedder=student, training=result, learned_from=used)


def distilled_copy(
    knowledge: AttackerKnowledge,
    cache: AttackCache,
    settings: TrainingSettings,
    size: int | None = None,
    transform: InputTransform | None = None,
) -> Distilled:
    """A copy trained on `size` photographs, None for all, whose captured images pass `transform` first."""
    made = transform(knowledge, cache) if transform else None

    def compute() -> Distilled:
        training_set, validation_set = training_crops(knowledge, cache)
        if made:
            training_set, validation_set = (crops.transformed(made) for crops in (training_set, validation_set))
        return distil(knowledge, cache, training_set, validation_set, size or len(training_set), settings)

    key = (knowledge.digest, size, settings, made.digest if made else None)
    return cache.get("distilled copy", key, compute)


def distil(
    knowledge: AttackerKnowledge,
    cache: AttackCache,
    training_set: CropPairs,
    validation_set: CropPairs,
    count: int,
    settings: TrainingSettings,
) -> Distilled:
    """Minimise 1 - cos(G(C(x)), F(x)) over the copy G on the first `count` faces, F being the recogniser, C the camera.

    The validation score is the mean cosine on people of the validation set.
    """
    teacher = knowledge.embedder
    student, targets = trainable_copy(teacher), teacher_embeddings(knowledge, cache, training_set)
    validation_targets = embed_crops(teacher, validation_set.raw)
    fast, device = compiled_for_training(student, knowledge), device_of(teacher)

    def loss(indices: Indices, rng: np.random.Generator) -> Tensor:
        crops, mirrored = augmented(training_set.captured[indices], rng, device), bool(rng.random() < 0.5)
        embeddings: Tensor = fast(crops.flip(3) if mirrored else crops)
        return 1 - (embeddings * targets[mirrored][torch.from_numpy(indices)]).sum(1).mean()

    def score() -> float:
        return float((embed_crops(student, validation_set.captured) * validation_targets).sum(1).mean())

    label, faces = f"distil from {count} photographs", (training_set, validation_set)
    run = TrainingRun(student, loss, score, count, knowledge, label, faces)
    return student, run.train(settings)


DISTILLATION = Attack(
    "distillation",
    "gray-box",
    "raw and captured photographs of faces from a bought camera",
    distillation_runs,
    trained=True,
)
MAP_DISTILLATION = Attack(
    "colour maps, distillation",
    "gray-box",
    "raw and captured photographs of faces and of any content from a bought camera",
    map_copy_runs,
    trained=True,
)
INVERSION_DISTILLATION = Attack(
    "analytic inversion, distillation",
    "white-box",
    "the profile, and raw and captured photographs of faces",
    inversion_copy_runs,
    trained=True,
)

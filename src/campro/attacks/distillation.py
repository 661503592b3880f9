"""A copy of the recogniser that says of a captured face what the recogniser says of the raw one. It needs no names."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor

from campro.attacks.analytic_inversion import has_inverse, inverse_of
from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs, Training
from campro.attacks.budget import FULL_TRIES, Try
from campro.attacks.colour_maps import lut_of
from campro.attacks.face_training import (
    Course,
    Rows,
    TrainingFaces,
    answers,
    compiled_for_training,
    copy_of,
    embedded,
    fewer,
    moved,
    training_faces,
)
from campro.core.device import device_of
from campro.core.types import ImageTransform
from campro.models.faces.embedder_card import FaceEmbedder


def distillation_runs(known: AttackerKnowledge) -> Runs:
    """A copy for every number of photographs, and those of all photographs."""
    if not _teaches(known):
        return {}
    runs: Runs = {f"{size} photographs": partial(_copy, known, size, known.budget.tries[0]) for size in fewer(known)}
    return {**runs, **whole_courses(known)}


def whole_courses(known: AttackerKnowledge) -> Runs:
    """Copies that learned from all photographs as they are."""
    return _courses(known, "all photographs")


def map_copy_runs(known: AttackerKnowledge) -> Runs:
    """Copies that look through a 3D LUT, the most flexible of the colour maps."""
    return _courses(known, "behind a 3D LUT", lut_of)


def inverse_copy_runs(known: AttackerKnowledge) -> Runs:
    """Copies that look through the inverse of the profile, which moves colours better than any that was learned."""
    return _courses(known, "inverse", inverse_of) if has_inverse(known) else {}


def _courses(known: AttackerKnowledge, label: str, look: Look | None = None) -> Runs:
    """A copy in every try, from all photographs."""
    if not _teaches(known):
        return {}
    return {f"{label}, {one}": partial(_copy, known, None, one, look) for one in known.budget.tries}


def _teaches(known: AttackerKnowledge) -> bool:
    return known.embedder.differentiable and known.people is not None


Look = Callable[[AttackerKnowledge], ImageTransform]


def _copy(known: AttackerKnowledge, size: int | None, tried: Try, look: Look | None = None) -> Adversary:
    student, training = distilled(known, size, tried, look)
    seen = size or len(training_faces(known)[0].owner)
    return Adversary((look(known),) if look else (), embedder=student, training=training, learned_from=seen)


@lru_cache(maxsize=2 * len(FULL_TRIES))
def distilled(
    known: AttackerKnowledge, size: int | None, tried: Try, look: Look | None
) -> tuple[FaceEmbedder, Training]:
    """A copy taught by so many photographs, all if None, through what somebody looks at captured pictures with."""
    lessons, judged = training_faces(known)
    if look:
        lessons, judged = (faces.seen_through(look(known)) for faces in (lessons, judged))
    return distil(known, lessons, judged, size or len(lessons.owner), tried)


def distil(
    known: AttackerKnowledge, lessons: TrainingFaces, judged: TrainingFaces, count: int, tried: Try
) -> tuple[FaceEmbedder, Training]:
    """Minimise 1 - cos(F'(C(x)), F(x)); judged by the same cosine on people who were kept aside."""
    teacher = known.embedder
    student, wanted = copy_of(teacher), answers(teacher, lessons)
    right, quick, device = embedded(teacher, judged.raw), compiled_for_training(student, known), device_of(teacher)

    def loss(rows: Rows, rng: np.random.Generator) -> Tensor:
        crops, mirrored = moved(lessons.captured[rows], rng, device), bool(rng.random() < 0.5)
        said: Tensor = quick(crops.flip(3) if mirrored else crops)
        return 1 - (said * wanted[mirrored][torch.from_numpy(rows)]).sum(1).mean()

    def score() -> float:
        return float((embedded(student, judged.captured) * right).sum(1).mean())

    return student, Course(student, loss, score, count, known, f"distil from {count} photographs").train(tried)


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
    "raw and captured photographs of faces and of anything from a bought camera",
    map_copy_runs,
    trained=True,
)
INVERSE_DISTILLATION = Attack(
    "inverse, distillation",
    "white-box",
    "the profile, and raw and captured photographs of faces",
    inverse_copy_runs,
    trained=True,
)

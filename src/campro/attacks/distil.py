"""A copy of the recogniser that says of a captured face what the recogniser says of the raw one. It needs no names."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor

from campro.attacks.attack import Adversary, Attack, Known, Runs, Training
from campro.attacks.budget import FULL_TRIES, Try
from campro.attacks.training import (
    Course,
    Rows,
    TrainingFaces,
    answers,
    copy_of,
    embedded,
    fewer,
    hurried,
    moved,
    training_faces,
)
from campro.faces.card import FaceEmbedder


def distillation_runs(known: Known) -> Runs:
    """A copy for every number of photographs, and for all of them in every try."""
    if not known.embedder.differentiable or known.people is None:
        return {}
    tries = known.budget.tries
    runs = {f"{size} photographs": partial(_copy, known, size, tries[0]) for size in fewer(known)}
    return runs | {whole_course(one): partial(_copy, known, None, one) for one in tries}


def whole_course(tried: Try) -> str:
    """Name of the run that learns from all photographs."""
    return f"all photographs, {tried}"


def _copy(known: Known, size: int | None, tried: Try) -> Adversary:
    student, training = distilled(known, size, tried)
    seen = size or len(training_faces(known)[0].owner)
    return Adversary(embedder=student, training=training, learned_from=seen)


@lru_cache(maxsize=len(FULL_TRIES))
def distilled(known: Known, size: int | None, tried: Try) -> tuple[FaceEmbedder, Training]:
    """A copy taught by so many photographs; all if None."""
    lessons, judged = training_faces(known)
    return distil(known, lessons, judged, size or len(lessons.owner), tried)


def distil(
    known: Known, lessons: TrainingFaces, judged: TrainingFaces, count: int, tried: Try
) -> tuple[FaceEmbedder, Training]:
    """Minimise 1 - cos(F'(C(x)), F(x)); judged by the same cosine on people who were kept aside."""
    teacher = known.embedder
    student, wanted = copy_of(teacher), answers(teacher, lessons)
    right, quick = embedded(teacher, judged.raw), hurried(student, known)

    def loss(rows: Rows, rng: np.random.Generator) -> Tensor:
        crops, mirrored = moved(lessons.captured[rows], rng), bool(rng.random() < 0.5)
        said: Tensor = quick(crops.flip(3) if mirrored else crops)
        return 1 - (said * wanted[mirrored][torch.from_numpy(rows)]).sum(1).mean()

    def score() -> float:
        return float((embedded(student, judged.captured) * right).sum(1).mean())

    return student, Course(student, loss, score, count, known, f"distil from {count} photographs").train(tried)


DISTILLATION = Attack(
    "distillation",
    "grey",
    "raw and captured photographs of faces from a bought camera",
    distillation_runs,
    trained=True,
)

"""A copy of the recogniser that says of a captured face what the recogniser says of the raw one. It needs no names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from campro.attacks.attack import Adversary, Attack, Known, Training
from campro.attacks.training import Rows, TrainingFaces, copy_of, embedded, moved, train, training_faces
from campro.faces.card import FaceEmbedder

RATES = (1e-3, 3e-4)
SIZES = (400, 800, 1600, 3200)
"""Photographs of the scaling curve, beside all there are."""


def fit_distilled(known: Known) -> Sequence[Adversary]:
    """A copy for every number of photographs and learning rate."""
    if not known.embedder.differentiable:
        return []
    lessons, judged = training_faces(known)
    found = []
    for count in sizes(len(lessons.owner)):
        for rate in RATES:
            student, training = distil(known.embedder, lessons.rows(np.arange(count)), judged, rate, known.seed)
            found.append(Adversary(f"{count} photographs, rate {rate:g}", (), student, training=training))
    return found


def sizes(most: int) -> list[int]:
    """Of the training sets of a scaling curve."""
    return sorted({min(size, most) for size in (*SIZES, most)})


def distil(
    teacher: FaceEmbedder, lessons: TrainingFaces, judged: TrainingFaces, rate: float, seed: int
) -> tuple[FaceEmbedder, Training]:
    """Minimise 1 - cos(F'(C(x)), F(x)); judged by the same cosine on people who were kept aside."""
    student, count = copy_of(teacher), len(lessons.owner)
    wanted = [embedded(teacher, lessons.raw, mirrored) for mirrored in (False, True)]
    right = embedded(teacher, judged.raw)

    def loss(rows: Rows, rng: np.random.Generator) -> Tensor:
        crops, mirrored = moved(lessons.captured[rows], rng), bool(rng.random() < 0.5)
        answers: Tensor = student(crops.flip(3) if mirrored else crops)
        return 1 - (answers * wanted[mirrored][torch.from_numpy(rows)]).sum(1).mean()

    def score() -> float:
        return float((embedded(student, judged.captured) * right).sum(1).mean())

    return student, train(student, loss, score, count, rate, seed, f"distil from {count} photographs at {rate:g}")


DISTILLATION = Attack(
    "distillation", "grey", "raw and captured photographs of faces from a bought camera", fit_distilled
)

"""A copy of the recogniser that says of a captured face what the recogniser says of the raw one. It needs no names."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from campro.attacks.attack import Adversary, Attack, Known, Training
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.core.progress import Progress
from campro.faces.card import FaceEmbedder
from campro.faces.embed import crop_photos

RATES = (1e-3, 3e-4)
EPOCHS, BATCH = 30, 64
KEPT_ASIDE = 0.15
"""Share of the training people whose faces decide when to stop."""
PATIENCE = 6
"""Epochs without a better validation score after which training stops."""
SHIFT = 4
"""Pixels by which crops are moved at random; half of them are mirrored."""
SETTLED = 0.02
"""A run has converged if its last third brought less than this share of what all of it brought."""
SIZES = (400, 800, 1600, 3200)
"""Photographs of the scaling curve, beside all there are."""

Crops = UInt8[np.ndarray, "N h w 3"]


@dataclass(frozen=True)
class Lessons:
    """Captured crops, and what the recogniser says of the raw ones, mirrored (1) and not (0)."""

    captured: Crops
    wanted: tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]

    def rows(self, chosen: np.ndarray) -> Lessons:
        """Some of them."""
        plain, mirrored = (side[torch.from_numpy(chosen)] for side in self.wanted)
        return Lessons(self.captured[chosen], (plain, mirrored))


def fit_distilled(known: Known, sizes: Sequence[int] = SIZES) -> Sequence[Adversary]:
    """A copy for every number of photographs and learning rate."""
    if not known.embedder.differentiable:
        return []
    if known.people is None or known.landmarks is None:
        raise CamproError("distillation", "faces to train on", "none", "give --train-faces")
    people = known.people.only(known.landmarks.found)
    names = sorted(people.identities)
    order = np.random.default_rng(known.seed).permutation(len(names))
    aside = {names[row] for row in order[: max(1, round(KEPT_ASIDE * len(names)))]}
    train = [photo for name in names if name not in aside for photo in people.identities[name]]
    judge = [photo for name in names if name in aside for photo in people.identities[name]]
    lessons, judged = (_lessons(known, photos) for photos in (train, judge))
    shuffled = np.random.default_rng(known.seed).permutation(len(train))
    found = []
    for count in sorted({min(size, len(train)) for size in (*sizes, len(train))}):
        for rate in RATES:
            some = lessons.rows(np.sort(shuffled[:count]))
            student, training = distil(known.embedder, some, judged, rate, known.seed)
            found.append(Adversary(f"distilled, {count} photographs, rate {rate:g}", (), student, training=training))
    return found


def _lessons(known: Known, photos: Sequence) -> Lessons:
    assert known.landmarks is not None
    card = known.embedder.card
    raw = to_tensor(crop_photos(photos, known.landmarks, card))
    sides = tuple(_embed(known.embedder, side) for side in (raw, raw.flip(3)))
    return Lessons(crop_photos(photos, known.landmarks, card, known.camera), (sides[0], sides[1]))


@torch.inference_mode()
def _embed(embedder: FaceEmbedder, crops: Tensor) -> Float[Tensor, "N D"]:
    return torch.cat([embedder(batch) for batch in crops.split(BATCH)]).clone()


def distil(
    teacher: FaceEmbedder, lessons: Lessons, judged: Lessons, rate: float, seed: int
) -> tuple[FaceEmbedder, Training]:
    """Minimise 1 - cos(F'(C(x)), F(x)) by AdamW; the best state on the faces that were kept aside is taken."""
    student = deepcopy(teacher).train()
    # A new card, so that no cache takes the student for its teacher.
    student.card = replace(teacher.card, weights_sha256=None)
    optimiser = torch.optim.AdamW(student.parameters(), lr=rate)
    rng, count = np.random.default_rng(seed), len(lessons.captured)
    best, state, curve = -1.0, deepcopy(student.state_dict()), [_score(student, judged)]
    with Progress(f"distil from {count} photographs at {rate:g}", EPOCHS) as progress:
        for _ in range(EPOCHS):
            for rows in np.array_split(rng.permutation(count), max(1, count // BATCH)):
                crops, wanted = _drawn(lessons, rows, rng)
                loss = 1 - (student(crops) * wanted).sum(1).mean()
                if not torch.isfinite(loss):
                    return teacher, Training(tuple(curve), converged=False)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            curve.append(_score(student, judged))
            if curve[-1] > best:
                best, state = curve[-1], deepcopy(student.state_dict())
            progress.advance(score=f"{curve[-1]:.3f}")
            if len(curve) - 1 - int(np.argmax(curve)) >= PATIENCE:
                break
    student.load_state_dict(state)
    return student.eval(), Training(tuple(curve), has_settled(curve))


def has_settled(curve: Sequence[float]) -> bool:
    """Whether the last third of a validation curve brought next to nothing."""
    gain = max(curve) - curve[0]
    before = max(curve[: max(1, 2 * len(curve) // 3)])
    return gain > 0 and max(curve) - before < SETTLED * gain


def _drawn(lessons: Lessons, rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A batch, each crop moved a little, half of them mirrored with what is wanted of mirrored ones."""
    crops = to_tensor(lessons.captured[rows])
    down, right = (int(step) for step in rng.integers(-SHIFT, SHIFT + 1, 2))
    crops = torch.roll(crops, (down, right), (2, 3))
    index = torch.from_numpy(rows)
    if rng.random() < 0.5:
        return crops.flip(3), lessons.wanted[1][index]
    return crops, lessons.wanted[0][index]


def _score(student: FaceEmbedder, judged: Lessons) -> float:
    """Mean cosine to what is wanted."""
    was_training = student.training
    student.eval()
    rows = _embed(student, to_tensor(judged.captured))
    student.train(was_training)
    return float((rows * judged.wanted[0]).sum(1).mean())


DISTILLATION = Attack(
    "distillation",
    "grey",
    "raw and captured photographs of faces from a bought camera",
    fit_distilled,
    frozenset({"people"}),
)

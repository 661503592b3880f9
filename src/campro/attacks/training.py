"""What attackers who train have in common: faces to learn from, people kept aside to stop by, and one loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from campro.attacks.attack import Known, Training
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.core.progress import Progress
from campro.faces.card import FaceEmbedder
from campro.faces.embed import crop_photos

KEPT_ASIDE = 0.15
"""Share of the training people whose faces decide when to stop."""
EPOCHS, BATCH = 30, 64
PATIENCE = 6
"""Epochs without a better validation score after which training stops, once it has got anywhere at all."""
SETTLED = 0.02
"""A run has converged if its last third brought less than this share of what all of it brought."""
SHIFT = 4
"""Pixels by which crops are moved at random; half of them are mirrored."""

Crops = UInt8[np.ndarray, "N h w 3"]
Rows = Int[np.ndarray, " n"]


@dataclass(frozen=True)
class TrainingFaces:
    """Crops of the same photographs, raw and captured, and whom they show."""

    raw: Crops
    captured: Crops
    owner: Int[Tensor, "N"]
    """Numbered from 0."""

    def rows(self, chosen: Rows) -> TrainingFaces:
        """Some of them; people keep their numbers."""
        return TrainingFaces(self.raw[chosen], self.captured[chosen], self.owner[torch.from_numpy(chosen)])


def training_faces(known: Known) -> tuple[TrainingFaces, TrainingFaces]:
    """Faces to learn from, in random order, and of other people to stop by.

    Raises:
        CamproError: where there are no faces to train on.
    """
    if known.people is None or known.landmarks is None:
        raise CamproError("attack", "faces to train on", "none", "give --train-faces")
    people = known.people.only(known.landmarks.found)
    rng = np.random.default_rng(known.seed)
    names = np.array(sorted(people.identities))[rng.permutation(len(people.identities))].tolist()
    aside = max(1, round(KEPT_ASIDE * len(names)))
    train, judge = (
        _faces(known, {name: people.identities[name] for name in part}) for part in (names[aside:], names[:aside])
    )
    return train.rows(rng.permutation(len(train.owner))), judge


def _faces(known: Known, people: dict[str, tuple[Path, ...]]) -> TrainingFaces:
    assert known.landmarks is not None
    photos = [photo for own in people.values() for photo in own]
    owner = torch.tensor([who for who, own in enumerate(people.values()) for _ in own])
    card = known.embedder.card
    views = (crop_photos(photos, known.landmarks, card), crop_photos(photos, known.landmarks, card, known.camera))
    return TrainingFaces(*views, owner)


def copy_of(embedder: FaceEmbedder) -> FaceEmbedder:
    """To be trained; under a card without a hash, so that no cache takes it for the original."""
    student = deepcopy(embedder)
    student.card = replace(embedder.card, weights_sha256=None)
    return student


@torch.inference_mode()
def embedded(embedder: FaceEmbedder, crops: Crops, mirrored: bool = False) -> Float[Tensor, "N D"]:
    """Rows of all crops, in evaluation mode."""
    was_training = embedder.training
    embedder.eval()
    batches = [to_tensor(batch) for batch in np.array_split(crops, max(1, len(crops) // BATCH))]
    rows = torch.cat([embedder(batch.flip(3) if mirrored else batch) for batch in batches])
    embedder.train(was_training)
    return rows.clone()


def moved(crops: Crops, rng: np.random.Generator) -> Tensor:
    """As a batch, all moved by the same few pixels."""
    down, right = (int(step) for step in rng.integers(-SHIFT, SHIFT + 1, 2))
    return torch.roll(to_tensor(crops), (down, right), (2, 3))


def train(
    student: nn.Module,
    loss: Callable[[Rows, np.random.Generator], Tensor],
    score: Callable[[], float],
    count: int,
    rate: float,
    seed: int,
    label: str,
) -> Training:
    """AdamW over `count` faces until the validation score stops rising; `student` ends in its best state.

    A run whose loss is no longer a number has failed, and says so.
    """
    optimiser = torch.optim.AdamW(student.parameters(), lr=rate)
    rng = np.random.default_rng(seed)
    curve, state = [score()], deepcopy(student.state_dict())
    student.train()
    with Progress(label, EPOCHS) as progress:
        for _ in range(EPOCHS):
            for rows in np.array_split(rng.permutation(count), max(1, count // BATCH)):
                value = loss(rows, rng)
                if not torch.isfinite(value):
                    student.load_state_dict(state)
                    return Training(tuple(curve), converged=False)
                optimiser.zero_grad()
                value.backward()
                optimiser.step()
            curve.append(score())
            if curve[-1] > max(curve[:-1]):
                state = deepcopy(student.state_dict())
            progress.advance(score=f"{curve[-1]:.3f}")
            if max(curve) > curve[0] and len(curve) - 1 - int(np.argmax(curve)) >= PATIENCE:
                break
    student.load_state_dict(state)
    student.eval()
    return Training(tuple(curve), has_settled(curve))


def has_settled(curve: Sequence[float]) -> bool:
    """Whether the last third of a validation curve brought next to nothing."""
    gain = max(curve) - curve[0]
    before = max(curve[: max(1, 2 * len(curve) // 3)])
    return gain > 0 and max(curve) - before < SETTLED * gain

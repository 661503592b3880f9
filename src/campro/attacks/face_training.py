"""What attackers who train have in common: faces to learn from, people kept aside to stop by, and one loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from campro.attacks.attack_base import AttackerKnowledge, Training
from campro.attacks.budget import Try
from campro.core.compilation import Network, compiled
from campro.core.device import device_of, native_bfloat16
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.core.progress import Progress
from campro.core.types import Images, ImageTransform
from campro.models.faces.embedder_card import FaceEmbedder
from campro.models.faces.embedding import crop_photos

KEPT_ASIDE = 0.15
"""Share of the training people whose faces decide when to stop."""
BATCH, LEAST = 64, 1600
"""Faces of a step, and the fewest faces between two validations: small sets are seen several times in between."""
PATIENCE = 5
"""Validations without a better score after which training stops."""
ATTEMPTS, GIVE_UP = 3, 3
"""Of a run that is not better than its start after so many validations, or falls below it later: the rate was too high,
as networks without normalisation show at once."""
PERFECT = 0.999
"""Score from which nothing is left to learn: a copy of the recogniser on raw faces, say."""
PULL = 0.01
"""What counts are the weights averaged over some hundred steps: better than the last ones, at any learning rate."""
SETTLED = 0.02
"""A run has converged if its last third brought less than this share of what all of it brought."""
SHIFT = 4
"""Pixels by which crops are moved at random; half of them are mirrored."""

Crops = UInt8[np.ndarray, "N h w 3"]
Rows = Int[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class TrainingFaces:
    """Crops of the same photographs, raw and captured, and whom they show."""

    raw: Crops
    captured: Crops
    owner: Int[Tensor, "N"]
    """Numbered from 0."""

    def rows(self, chosen: Rows) -> TrainingFaces:
        """Some of them; people keep their numbers."""
        return TrainingFaces(self.raw[chosen], self.captured[chosen], self.owner[torch.from_numpy(chosen)])

    def seen_through(self, look: ImageTransform) -> TrainingFaces:
        """With what somebody makes of captured pictures."""
        return replace(self, captured=np.stack([look(crop) for crop in self.captured]))


@lru_cache(maxsize=1)
def training_faces(known: AttackerKnowledge) -> tuple[TrainingFaces, TrainingFaces]:
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


def _faces(known: AttackerKnowledge, people: dict[str, tuple[Path, ...]]) -> TrainingFaces:
    assert known.landmarks is not None
    photos = [photo for own in people.values() for photo in own]
    owner = torch.tensor([who for who, own in enumerate(people.values()) for _ in own])
    card = known.embedder.card
    views = (crop_photos(photos, known.landmarks, card), crop_photos(photos, known.landmarks, card, known.camera))
    return TrainingFaces(*views, owner)


def fewer(known: AttackerKnowledge) -> tuple[int, ...]:
    """Numbers of photographs of the scaling curve, all of them less than there are."""
    return () if known.people is None else tuple(size for size in known.budget.sizes if size < len(known.people.photos))


@lru_cache(maxsize=1)
def answers(teacher: FaceEmbedder, faces: TrainingFaces) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
    """What a recogniser says of all raw crops, and of their mirror images."""
    return embedded(teacher, faces.raw), embedded(teacher, faces.raw, mirrored=True)


def copy_of(embedder: FaceEmbedder) -> FaceEmbedder:
    """To be trained; under a card without a hash, so that no cache takes it for the original."""
    student = deepcopy(embedder).requires_grad_(True)
    student.card = replace(embedder.card, weights_sha256=None)
    return student


@torch.inference_mode()
def embedded(embedder: FaceEmbedder, crops: Crops, mirrored: bool = False) -> Float[Tensor, "N D"]:
    """Rows of all crops, in evaluation mode; where the recogniser is."""
    was_training = embedder.training
    embedder.eval()
    batches = [to_tensor(batch, device_of(embedder)) for batch in np.array_split(crops, max(1, len(crops) // BATCH))]
    rows = torch.cat([embedder(batch.flip(3) if mirrored else batch) for batch in batches])
    embedder.train(was_training)
    return rows.clone()


def frozen(embedder: FaceEmbedder) -> FaceEmbedder:
    """To be differentiated through, not trained.

    Its slopes gather gradients that nobody uses: without them the compiler writes down a truth value for every
    activation, which takes three times as long.
    """
    still = copy_of(embedder).eval().requires_grad_(False)
    for module in still.modules():
        if isinstance(module, nn.PReLU):
            module.requires_grad_(True)
    return still


def compiled_for_training(network: Network, known: AttackerKnowledge) -> Network:
    """The same network, to be trained: compiled and in bfloat16, where the budget says so; a GPU needs neither."""
    if not known.budget.hurries or device_of(known.embedder).type != "cpu":
        return network
    quick = compiled(network)

    def called(images: Images) -> Tensor:
        with native_bfloat16():
            return quick(images)

    return cast(Network, called)


def moved(crops: Crops, rng: np.random.Generator, device: torch.device) -> Images:
    """As a batch, all moved by the same few pixels."""
    down, right = (int(step) for step in rng.integers(-SHIFT, SHIFT + 1, 2))
    return torch.roll(to_tensor(crops, device), (down, right), (2, 3))


@dataclass(frozen=True, eq=False)
class Course:
    """A training of `student` on `count` faces."""

    student: nn.Module
    loss: Callable[[Rows, np.random.Generator], Tensor]
    score: Callable[[], float]
    """Of people who were kept aside; higher is better."""
    count: int
    known: AttackerKnowledge
    label: str
    knows_nothing: bool = False
    """Whether the student has learned nothing yet: what it scores at first is luck, and nothing to fall below."""
    batch: int = BATCH
    """Faces of a step."""
    cools: bool = False
    """Whether the rate falls to nothing, by half a cosine, until the last epoch of the budget."""

    def train(self, tried: Try) -> Training:
        """AdamW until the validation score stops rising; the student ends in its best state, in evaluation mode.

        A run that gets nowhere, or goes well and then falls apart, begins anew at a tenth of the rate, twice; the best
        of them counts. If none was better than its start the attack has failed, and says so.
        """
        start, ends = _copied(self.student), []
        for attempt in range(ATTEMPTS):
            self.student.load_state_dict(start)
            training = self._at(tried.rate / 10**attempt, self.known.seed + tried.seed)
            ends.append((training, _copied(self.student)))
            if training.converged or training.curve[-1] > training.curve[0]:
                break
        training, best = max(ends, key=lambda end: max(end[0].curve))
        self.student.load_state_dict(best)
        self.student.eval()
        return training

    def _score(self) -> float:
        with native_bfloat16(self.known.budget.hurries):
            return self.score()

    def _at(self, rate: float, seed: int) -> Training:
        curve = [0.0 if self.knows_nothing else self._score()]
        best, average, seen = _copied(self.student), _copied(self.student), 0
        if curve[0] > PERFECT:
            return Training(tuple(curve), converged=True)
        optimiser = torch.optim.AdamW([weight for weight in self.student.parameters() if weight.requires_grad], lr=rate)
        batches = _batches(self.count, self.batch, np.random.default_rng(seed))
        epochs, steps = self.known.budget.epochs, max(LEAST, self.count) // self.batch
        cooling = CosineAnnealingLR(optimiser, epochs * steps) if self.cools else None
        with Progress(f"{self.label}, rate {rate:g}", epochs) as progress:
            for _ in range(epochs):
                self.student.train()
                for _ in range(steps):
                    value = self.loss(*next(batches))
                    if not torch.isfinite(value):
                        self.student.load_state_dict(best)
                        return Training(tuple(curve), converged=False)
                    optimiser.zero_grad()
                    value.backward()
                    optimiser.step()
                    if cooling:
                        cooling.step()
                    _follow(average, self.student.state_dict(), seen)
                    seen += 1
                last = _copied(self.student)
                self.student.load_state_dict(average)
                curve.append(self._score())
                if curve[-1] > max(curve[:-1]):
                    best = deepcopy(average)
                self.student.load_state_dict(last)
                progress.advance(score=f"{curve[-1]:.3f}")
                since = len(curve) - 1 - int(np.argmax(curve))
                if since >= (PATIENCE if max(curve) > curve[0] else GIVE_UP):
                    break
        self.student.load_state_dict(best)
        return Training(tuple(curve), has_settled(curve))


def _batches(count: int, batch: int, rng: np.random.Generator) -> Iterator[tuple[Rows, np.random.Generator]]:
    """Rows of every step, all alike in number since compiled networks are fast at one size alone; the few that are
    over sit out until the order is drawn anew. And what else in a step is random."""
    steps = max(1, count // batch)
    while True:
        for rows in rng.permutation(count)[: steps * batch].reshape(steps, -1):
            yield rows, rng


State = dict[str, Tensor]


def _copied(module: nn.Module) -> State:
    return {name: value.clone() for name, value in module.state_dict().items()}


@torch.no_grad()
def _follow(average: State, live: State, seen: int) -> None:
    """Move the average towards the live weights: at once in the beginning, slowly later."""
    pull = max(PULL, 9 / (10 + seen))
    for name, value in live.items():
        if value.is_floating_point():
            average[name].lerp_(value, pull)
        else:
            average[name].copy_(value)


def has_settled(curve: Sequence[float]) -> bool:
    """Whether the last third of a validation curve brought next to nothing, and what came before a gain that stayed."""
    gain = max(curve) - curve[0]
    before = max(curve[: max(1, 2 * len(curve) // 3)])
    return gain > 0 and max(curve) - before < SETTLED * gain and curve[-1] > curve[0]

"""A network that turns captured faces back, for the recogniser off the shelf."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor, nn

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs, Training
from campro.attacks.budget import FULL_TRIES, Restoration, Try
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
    frozen,
    moved,
    training_faces,
)
from campro.core.device import device_of
from campro.core.types import Embeddings, Images
from campro.enhance.unet import UNet
from campro.models.faces.embedder_card import FaceEmbedder

BASE, DEPTH = 16, 4
"""Of the U-Net: half as wide as the paper's enhancer and a level less, for crops of a hundred pixels."""
BATCH = 16
"""A network that starts from nothing takes many steps; without batch norm it can learn from few faces in each."""
IDENTITY: dict[Restoration, float] = {"L1": 0.0, "L1 and identity": 0.1}
"""Weight of 1 - cos(F(R(C(x))), F(x)) beside the mean absolute error of pixels."""
STRONGEST: Restoration = "L1 and identity"


class Restored(FaceEmbedder):
    """A recogniser behind a restorer: the best map of colours, and what a U-Net adds to it."""

    def __init__(self, recogniser: FaceEmbedder, colours: Callable[[Images], Images]) -> None:
        super().__init__(copy_of(recogniser).card)
        self.recogniser = recogniser
        self.colours = colours
        self.unet = UNet(BASE, DEPTH)
        nn.init.zeros_(self.unet.last.weight)
        assert self.unet.last.bias is not None
        nn.init.zeros_(self.unet.last.bias)

    def restored(self, crops: Images) -> Images:
        """The crops, as they may have looked."""
        return (self.colours(crops) + self.unet(crops).float()).clamp(0, 1)

    def forward(self, crops: Images) -> Embeddings:
        """See `FaceEmbedder.forward`."""
        said: Tensor = self.recogniser(self.restored(crops))
        return said


def restoration_runs(known: AttackerKnowledge) -> Runs:
    """One for every number of photographs, by the loss that brings most back, and those of all photographs."""
    if not known.embedder.differentiable:
        return {}
    first = known.budget.tries[0]
    runs = {
        f"{STRONGEST}, {size} photographs": partial(_restorer, known, STRONGEST, first, size) for size in fewer(known)
    }
    return {**runs, **whole_restorations(known)}


def whole_restorations(known: AttackerKnowledge) -> Runs:
    """Networks that learned from all photographs, by every loss of the budget, in every try."""
    if not known.embedder.differentiable:
        return {}
    budget = known.budget
    return {
        f"{kind}, {one}": partial(_restorer, known, kind, one) for kind in budget.restorations for one in budget.tries
    }


@lru_cache(maxsize=2 * len(FULL_TRIES))
def _restorer(known: AttackerKnowledge, kind: Restoration, tried: Try, size: int | None = None) -> Adversary:
    colours = deepcopy(lut_of(known).lut)  # it goes where the recogniser is; the one that others share stays
    lessons, judged = training_faces(known)
    some = lessons.rows(np.arange(size or len(lessons.owner)))
    network, training = restore(known, colours, some, judged, IDENTITY[kind], tried)
    return Adversary(embedder=network, training=training, learned_from=len(some.owner))


def restore(
    known: AttackerKnowledge,
    colours: Callable[[Images], Images],
    lessons: TrainingFaces,
    judged: TrainingFaces,
    identity: float,
    tried: Try,
) -> tuple[Restored, Training]:
    """Only the U-Net learns; judged by the cosine of restored to raw faces of people who were kept aside."""
    device = device_of(known.embedder)
    network = Restored(known.embedder.eval().requires_grad_(False), colours).to(device)
    wanted, right = answers(known.embedder, lessons), embedded(known.embedder, judged.raw)
    restored, recognise = (
        compiled_for_training(network.restored, known),
        compiled_for_training(frozen(known.embedder), known),
    )

    def loss(rows: Rows, rng: np.random.Generator) -> Tensor:
        shift, mirrored = int(rng.integers(2**31)), bool(rng.random() < 0.5)
        sides = (moved(side[rows], np.random.default_rng(shift), device) for side in (lessons.captured, lessons.raw))
        captured, raw = (side.flip(3) if mirrored else side for side in sides)
        found = restored(captured)
        error = (found - raw).abs().mean()
        if not identity:
            return error
        said: Tensor = recognise(found)
        return error + identity * (1 - (said * wanted[mirrored][torch.from_numpy(rows)]).sum(1).mean())

    def score() -> float:
        return float((embedded(network, judged.captured) * right).sum(1).mean())

    label = f"restore, identity {identity:g}"
    course = Course(network, loss, score, len(lessons.owner), known, label, batch=BATCH, cools=known.budget.cools)
    return network, course.train(tried)


RESTORATION = Attack(
    "restoration",
    "gray-box",
    "raw and captured photographs of faces from a bought camera",
    restoration_runs,
    trained=True,
)

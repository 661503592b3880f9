"""Restoration: a network learns to turn captured faces into raw ones, for the off-the-shelf recogniser."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs, TrainingResult
from campro.attacks.attack_cache import AttackCache
from campro.attacks.budget import RestorationLoss, TrainingSettings
from campro.attacks.colour_maps import fitted_lut
from campro.attacks.student_networks import compiled_for_training, frozen_copy, trainable_copy
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
from campro.core.types import Embeddings, Images
from campro.enhance.unet import UNet
from campro.models.faces.embedder_card import FaceEmbedder

BASE, DEPTH = 16, 4
"""Channels and levels of the U-Net: half as wide as the paper's enhancer and one level less, for crops of about 100
pixels.
"""
BATCH = 16
"""Faces of one step. A network from random weights needs many steps; it has no batch normalisation that would need
many faces in each."""
IDENTITY_WEIGHTS: dict[RestorationLoss, float] = {"L1": 0.0, "L1 and identity": 0.1}
"""Weight of the identity term 1 - cos(F(R(C(x))), F(x)) beside the mean absolute error of the pixels."""
STRONGEST: RestorationLoss = "L1 and identity"


class RestoringEmbedder(FaceEmbedder):
    """A recogniser behind a restorer: a colour map, plus the residual of a U-Net, which starts at zero."""

    def __init__(self, recogniser: FaceEmbedder, colours: Callable[[Images], Images]) -> None:
        super().__init__(trainable_copy(recogniser).card)
        self.recogniser = recogniser
        self.colours = colours
        self.unet = UNet(BASE, DEPTH)
        nn.init.zeros_(self.unet.last.weight)
        assert self.unet.last.bias is not None
        nn.init.zeros_(self.unet.last.bias)

    def restored(self, crops: Images) -> Images:
        """An estimate of the raw crops."""
        return (self.colours(crops) + self.unet(crops).float()).clamp(0, 1)

    def forward(self, crops: Images) -> Embeddings:
        """See `FaceEmbedder.forward`."""
        embeddings: Tensor = self.recogniser(self.restored(crops))
        return embeddings


def restoration_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """One network for each size of the training set, by the strongest loss, and those from the whole set."""
    if not knowledge.embedder.differentiable:
        return {}
    first = knowledge.budget.settings[0]
    runs = {
        f"{STRONGEST}, {size} photographs": partial(_restorer, knowledge, cache, STRONGEST, first, size)
        for size in subset_sizes(knowledge)
    }
    return {**runs, **whole_set_restorations(knowledge, cache)}


def whole_set_restorations(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Networks from the whole training set, one for each loss and settings of the budget."""
    if not knowledge.embedder.differentiable:
        return {}
    budget = knowledge.budget
    return {
        f"{kind}, {settings}": partial(_restorer, knowledge, cache, kind, settings)
        for kind in budget.restoration_losses
        for settings in budget.settings
    }


def _restorer(
    knowledge: AttackerKnowledge,
    cache: AttackCache,
    kind: RestorationLoss,
    settings: TrainingSettings,
    size: int | None = None,
) -> Adversary:
    def compute() -> Adversary:
        # A copy, since the network moves to the device of the recogniser, and others use the cached map.
        colours = deepcopy(fitted_lut(knowledge, cache).lut)
        training_set, validation_set = training_crops(knowledge, cache)
        used = training_set.subset(np.arange(size or len(training_set)))
        weight = IDENTITY_WEIGHTS[kind]
        network, result = restore(knowledge, cache, colours, used, validation_set, weight, settings)
        return Adversary(embedder=network, training=result, learned_from=len(used))

    return cache.get("restorer", (knowledge.digest, kind, settings, size), compute)


def restore(
    knowledge: AttackerKnowledge,
    cache: AttackCache,
    colours: Callable[[Images], Images],
    training_set: CropPairs,
    validation_set: CropPairs,
    identity: float,
    settings: TrainingSettings,
) -> tuple[RestoringEmbedder, TrainingResult]:
    """Train the U-Net alone, by the L1 loss and `identity` times the identity term (see `IDENTITY_WEIGHTS`).

    The validation score is the mean cosine between restored and raw faces of people of the validation set.
    """
    embedder, device = knowledge.embedder, device_of(knowledge.embedder)
    network = RestoringEmbedder(embedder.eval().requires_grad_(False), colours).to(device)
    targets = teacher_embeddings(knowledge, cache, training_set)
    validation_targets = embed_crops(embedder, validation_set.raw)
    restored = compiled_for_training(network.restored, knowledge)
    embed = compiled_for_training(frozen_copy(embedder), knowledge)

    def loss(indices: Indices, rng: np.random.Generator) -> Tensor:
        shift, mirrored = int(rng.integers(2**31)), bool(rng.random() < 0.5)
        sides = (training_set.captured[indices], training_set.raw[indices])
        shifted = (augmented(side, np.random.default_rng(shift), device) for side in sides)
        captured, raw = (side.flip(3) if mirrored else side for side in shifted)
        output = restored(captured)
        error = (output - raw).abs().mean()
        if not identity:
            return error
        embeddings: Tensor = embed(output)
        return error + identity * (1 - (embeddings * targets[mirrored][torch.from_numpy(indices)]).sum(1).mean())

    def score() -> float:
        return float((embed_crops(network, validation_set.captured) * validation_targets).sum(1).mean())

    label = f"restore from {len(training_set)} faces, identity weight {identity:g}"
    faces = (training_set, validation_set)
    annealed = knowledge.budget.annealed
    run = TrainingRun(network, loss, score, len(training_set), knowledge, label, faces, batch=BATCH, annealed=annealed)
    return network, run.train(settings)


RESTORATION = Attack(
    "restoration",
    "gray-box",
    "raw and captured photographs of faces from a bought camera",
    restoration_runs,
    trained=True,
)

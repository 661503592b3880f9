"""Networks as trained attacks need them: trainable copies, frozen copies, and compiled ones."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import cast

from torch import Tensor, nn

from campro.attacks.attack_base import AttackerKnowledge
from campro.core.compilation import Network, compiled
from campro.core.device import device_of, native_bfloat16
from campro.core.types import Images
from campro.models.faces.embedder_card import FaceEmbedder


def trainable_copy(embedder: FaceEmbedder) -> FaceEmbedder:
    """A copy to be trained. Its card has no weights hash, so that no embedding cache takes it for the original."""
    student = deepcopy(embedder).requires_grad_(True)
    student.card = replace(embedder.card, weights_sha256=None)
    return student


def frozen_copy(embedder: FaceEmbedder) -> FaceEmbedder:
    """A copy that gradients pass through, in evaluation mode; its weights are not trained.

    The slopes of PReLU keep their gradients, which nothing uses: without them the compiler stores a truth value for
    each activation, which takes three times as long.
    """
    frozen = trainable_copy(embedder).eval().requires_grad_(False)
    for module in frozen.modules():
        if isinstance(module, nn.PReLU):
            module.requires_grad_(True)
    return frozen


def compiled_for_training(network: Network, knowledge: AttackerKnowledge) -> Network:
    """The same network, compiled and in bfloat16 if the budget says so; on a GPU it stays as it is."""
    if not knowledge.budget.compiled or device_of(knowledge.embedder).type != "cpu":
        return network
    fast = compiled(network)

    def called(images: Images) -> Tensor:
        with native_bfloat16():
            return fast(images)

    return cast(Network, called)

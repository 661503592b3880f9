"""The three players of Algorithm 1 as two modules: the attacker (recogniser), and the protector (ISP + detector).

Both are moved by a loss that their own `forward` returns, so that data-parallel wrappers see every gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.types import Detections, Images
from campro.design.objective import attacker_loss, protector_face_loss, protector_loss

COSINE_SCALE = 32.0
"""Logit of a perfect match; cosine logits need a scale to let the softmax get sure (ArcFace uses 64)."""


class AttackerLosses(NamedTuple):
    """What an attacker step reports: its loss and the share of faces it names rightly."""

    loss: Tensor
    accuracy: Tensor


class ProtectorLosses(NamedTuple):
    """What a protector step reports: the sum that is minimised and its two parts."""

    loss: Tensor
    face: Tensor
    detection: Tensor


class Attacker(nn.Module):
    """A recogniser with a proxy head: cosine logits against one learned template per training person."""

    def __init__(self, embedder: nn.Module, people: int) -> None:
        super().__init__()
        self.embedder = embedder
        self.templates = nn.Parameter(torch.randn(people, embedder.card.dim) / embedder.card.dim**0.5)

    def logits(self, crops: Images) -> Float[Tensor, "B P"]:
        """Scaled cosine to every person's template."""
        return COSINE_SCALE * F.linear(self.embedder(crops), F.normalize(self.templates))

    def forward(self, captured: Images, person: Int[Tensor, "B"]) -> AttackerLosses:
        """Cross-entropy and accuracy on captured faces."""
        logits = self.logits(captured)
        return AttackerLosses(attacker_loss(logits, person), (logits.argmax(1) == person).float().mean())


class Protector(nn.Module):
    """The camera pipeline and the person detector behind it, which learn together."""

    def __init__(self, pipeline: nn.Module, detector: nn.Module) -> None:
        super().__init__()
        self.pipeline, self.detector = pipeline, detector

    def forward(
        self,
        attacker: Attacker,
        faces: Images,
        person: Int[Tensor, "B"],
        scenes: Images,
        truth: Sequence[Detections],
        omega: float,
    ) -> ProtectorLosses:
        """Losses of the protector on raw faces and raw scenes, both seen through the pipeline."""
        with frozen(attacker):
            face = protector_face_loss(attacker.logits(self.pipeline(faces)), person)
        detection = self.detector.loss(self.pipeline(scenes), list(truth))
        return ProtectorLosses(protector_loss(face, detection, omega), face, detection)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Gradients pass through the module but none are kept for its weights: a third of the work saved."""
    trainable = [p for p in module.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)

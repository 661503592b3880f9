"""The three players of Algorithm 1 as two modules: the attacker (recogniser), and the protector (ISP + detector).

Both are moved by a loss that their own `forward` returns, so that data-parallel wrappers see every gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.types import Images
from campro.design.objective import attacker_loss, protector_face_loss, protector_loss
from campro.faces import FaceEmbedder
from campro.isp import IspPipeline
from campro.utility import TrainableDetector

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
    """A recogniser with a proxy head: cosine logits against one learned template per training person.

    The recogniser stays in evaluation mode: its batch-norm statistics are those of its own training, as in the
    audit; its weights learn.
    """

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__()
        if not embedder.differentiable:
            remedy = "choose a torch model with --face-model"
            raise CamproError("design", "a differentiable recogniser", embedder.card.name, remedy)
        self.embedder = embedder
        self.templates = nn.Parameter(templates.clone())

    def logits(self, crops: Images) -> Float[Tensor, "B P"]:
        """Scaled cosine to every person's template."""
        rows: Tensor = self.embedder(crops)
        return COSINE_SCALE * F.linear(rows, F.normalize(self.templates))

    def forward(self, captured: Images, person: Int[Tensor, "B"]) -> AttackerLosses:
        """Cross-entropy and accuracy on captured faces."""
        logits = self.logits(captured)
        return AttackerLosses(attacker_loss(logits, person), (logits.argmax(1) == person).float().mean())


class Protector(nn.Module):
    """The camera pipeline and the person detector behind it, which learn together."""

    def __init__(self, pipeline: IspPipeline, detector: TrainableDetector) -> None:
        super().__init__()
        self.pipeline, self.detector = pipeline, detector

    def forward(
        self,
        attacker: Attacker,
        faces: Images,
        person: Int[Tensor, "B"],
        scenes: Images,
        model: TrainableDetector,
        omega: float,
    ) -> ProtectorLosses:
        """Losses of the protector on raw faces and raw scenes, both seen through the pipeline.

        `model` is the detector as it was: what it finds on the raw scenes is what the protector's should find.
        """
        with frozen(attacker):
            face = protector_face_loss(attacker.logits(self.pipeline(faces)), person)
        detection = self.detector.imitate(self.pipeline(scenes), scenes, model)
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

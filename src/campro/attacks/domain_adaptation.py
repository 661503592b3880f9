"""A recogniser that gets used to captured faces, of whom nobody knows who they are."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.face_training import BATCH, Crops, copy_of, embedded, training_faces
from campro.core.device import device_of
from campro.core.images import to_tensor
from campro.core.types import Embeddings, Images
from campro.models.faces.embedder_card import FaceEmbedder

SHRINK = 0.1
"""Share of the mean variance in the estimate of a covariance: there are not many more faces than dimensions."""


def adaptation_runs(known: AttackerKnowledge) -> Runs:
    """Statistics of the layers, of the rows, and both."""
    if not known.embedder.differentiable:
        return {}
    runs = {"rows": lambda: Adversary(embedder=_rows_adapted(known, known.embedder))}
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in known.embedder.modules()):
        runs["layers"] = lambda: Adversary(embedder=_layers_adapted(known))
        runs["layers and rows"] = lambda: Adversary(embedder=_rows_adapted(known, _layers_adapted(known)))
    return runs


def _layers_adapted(known: AttackerKnowledge) -> FaceEmbedder:
    return layers_adapted(known.embedder, training_faces(known)[0].captured)


def _rows_adapted(known: AttackerKnowledge, first: FaceEmbedder) -> FaceEmbedder:
    faces = training_faces(known)[0]
    return RowsAdapted(first, embedded(first, faces.captured), embedded(known.embedder, faces.raw))


@torch.no_grad()
def layers_adapted(embedder: FaceEmbedder, captured: Crops) -> FaceEmbedder:
    """A copy whose batch normalisation has the statistics of captured faces (Li et al., AdaBN, 2016)."""
    student = copy_of(embedder).train()
    for module in student.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None  # the mean over all batches
    for start in range(0, len(captured), BATCH):
        if len(batch := captured[start : start + BATCH]) > 1:
            student(to_tensor(batch, device_of(student)))
    return student.eval()


class RowsAdapted(FaceEmbedder):
    """Rows of captured faces, given the mean and covariance of raw ones (Sun et al., CORAL, AAAI 2016)."""

    def __init__(self, first: FaceEmbedder, captured: Embeddings, raw: Embeddings) -> None:
        super().__init__(copy_of(first).card)
        self.first = first
        self.register_buffer("centre", captured.mean(0))
        self.register_buffer("wanted", raw.mean(0))
        self.register_buffer("mix", _root(captured, -0.5) @ _root(raw, 0.5))

    def forward(self, crops: Images) -> Embeddings:
        """See `FaceEmbedder.forward`."""
        return F.normalize((self.first(crops) - self.centre) @ self.mix + self.wanted)


def _root(rows: Float[Tensor, "N D"], power: float) -> Float[Tensor, "D D"]:
    """A power of the covariance, shrunk."""
    covariance = torch.cov(rows.double().T)
    covariance += SHRINK * covariance.trace() / len(covariance) * torch.eye(len(covariance)).to(covariance)
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values**power @ vectors.T).float()


ADAPTATION = Attack("adaptation", "gray-box", "captured faces without names, and raw ones of others", adaptation_runs)

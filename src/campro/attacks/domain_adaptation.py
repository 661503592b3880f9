"""Unsupervised domain adaptation of a recogniser to captured faces, by AdaBN and CORAL; nobody is identified."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.attack_cache import AttackCache
from campro.attacks.student_networks import trainable_copy
from campro.attacks.training_crops import BATCH, Crops, embed_crops, training_crops
from campro.core.device import device_of
from campro.core.images import to_tensor
from campro.core.types import Embeddings, Images
from campro.models.faces.embedder_card import FaceEmbedder

SHRINKAGE = 0.1
"""Added to the diagonal of each covariance, relative to the mean variance: faces hardly outnumber dimensions."""


def adaptation_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """CORAL; for recognisers with batch normalisation AdaBN, and both, too."""
    if not knowledge.embedder.differentiable:
        return {}
    runs = {"CORAL": lambda: Adversary(embedder=_coral(knowledge, cache, knowledge.embedder))}
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in knowledge.embedder.modules()):
        runs["AdaBN"] = lambda: Adversary(embedder=_adabn(knowledge, cache))
        runs["AdaBN and CORAL"] = lambda: Adversary(embedder=_coral(knowledge, cache, _adabn(knowledge, cache)))
    return runs


def _adabn(knowledge: AttackerKnowledge, cache: AttackCache) -> FaceEmbedder:
    return adapt_batch_norm(knowledge.embedder, training_crops(knowledge, cache)[0].captured)


def _coral(knowledge: AttackerKnowledge, cache: AttackCache, embedder: FaceEmbedder) -> FaceEmbedder:
    crops = training_crops(knowledge, cache)[0]
    captured, raw = embed_crops(embedder, crops.captured), embed_crops(knowledge.embedder, crops.raw)
    return CoralEmbedder(embedder, captured, raw)


@torch.no_grad()
def adapt_batch_norm(embedder: FaceEmbedder, captured: Crops) -> FaceEmbedder:
    """AdaBN: a copy whose batch normalisation has the statistics of captured faces.

    Source: Li et al., Revisiting Batch Normalization for Practical Domain Adaptation, 2016, algorithm 1.
    """
    student = trainable_copy(embedder).train()
    for module in student.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None  # the mean over all batches
    for start in range(0, len(captured), BATCH):
        if len(batch := captured[start : start + BATCH]) > 1:
            student(to_tensor(batch, device_of(student)))
    return student.eval()


class CoralEmbedder(FaceEmbedder):
    """CORAL: embeddings of captured faces are whitened and recoloured to the mean and covariance of raw ones.

    Source: Sun et al., Return of Frustratingly Easy Domain Adaptation, AAAI 2016, algorithm 1; here with a shift of
    the mean, and the covariance shrunk by `SHRINKAGE`.
    """

    def __init__(self, embedder: FaceEmbedder, captured: Embeddings, raw: Embeddings) -> None:
        """Statistics of `captured` come from `embedder`, those of `raw` from the off-the-shelf recogniser."""
        super().__init__(trainable_copy(embedder).card)
        self.embedder = embedder
        self.register_buffer("captured_mean", captured.mean(0))
        self.register_buffer("raw_mean", raw.mean(0))
        self.register_buffer("transform", _covariance_power(captured, -0.5) @ _covariance_power(raw, 0.5))

    def forward(self, crops: Images) -> Embeddings:
        """See `FaceEmbedder.forward`."""
        return F.normalize((self.embedder(crops) - self.captured_mean) @ self.transform + self.raw_mean)


def _covariance_power(embeddings: Float[Tensor, "N D"], power: float) -> Float[Tensor, "D D"]:
    covariance = torch.cov(embeddings.double().T)
    covariance += SHRINKAGE * covariance.trace() / len(covariance) * torch.eye(len(covariance)).to(covariance)
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values**power @ vectors.T).float()


DOMAIN_ADAPTATION = Attack(
    "domain adaptation", "gray-box", "captured faces without names, and raw faces of other people", adaptation_runs
)

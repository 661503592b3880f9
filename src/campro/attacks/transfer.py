"""Transferred restoration: faces that a restorer trained with one recogniser restores, embedded by another one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.attack_cache import AttackCache
from campro.attacks.attack_options import TRANSFER
from campro.attacks.restoration import RestoringEmbedder, whole_set_restorations
from campro.core.images import to_rgb8, to_tensor
from campro.core.types import Embeddings, Images
from campro.models.faces.align import TEMPLATES, similarity
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder


class TransferredRestorer(FaceEmbedder):
    """A recogniser behind a restorer that was trained with another one; it needs no gradients.

    Crops are those of the restorer. Restored crops are kept as 8-bit pictures, so that judging several recognisers
    costs one pass of the restorer.
    """

    def __init__(self, restorer: RestoringEmbedder, recogniser: FaceEmbedder, cache: AttackCache, key: str) -> None:
        """`key` names the restorer among those of the cache: its training set, loss and settings."""
        card = recogniser.card
        name = f"{card.name} {(card.weights_sha256 or '')[:12]} behind a restorer of {restorer.card.name}"
        super().__init__(replace(restorer.card, name=name, dim=card.dim, weights_sha256=None))
        self.restorer, self.recogniser = restorer, recogniser
        self._cache, self._key = cache, key

    def forward(self, crops: Images) -> Embeddings:
        """See `FaceEmbedder.forward`."""
        embeddings: Tensor = self.recogniser(placed(self._restored(crops), self.card, self.recogniser.card))
        return embeddings

    def _restored(self, crops: Images) -> Images:
        content = hashlib.sha256(to_rgb8(crops).tobytes()).hexdigest()
        rgb = self._cache.get("restored crops", (self._key, content), lambda: to_rgb8(self.restorer.restored(crops)))
        return to_tensor(rgb, crops.device)


def placed(crops: Images, given: EmbedderCard, wanted: EmbedderCard) -> Float[Tensor, "B 3 h w"]:
    """Crops of one card resampled as crops of another one; what lies outside repeats the border."""
    if (given.template, given.size) == (wanted.template, wanted.size):
        return crops
    matrix = similarity(TEMPLATES[wanted.template, "five"], TEMPLATES[given.template, "five"])
    (height, width), (rows, columns) = given.size, wanted.size
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1).double() @ torch.from_numpy(matrix.copy()).double().T
    grid = (points + 0.5) / torch.tensor([width, height]) * 2 - 1  # pixel centres
    batch = grid.to(crops)[None].expand(len(crops), -1, -1, -1)
    return F.grid_sample(crops, batch, mode="bilinear", padding_mode="border", align_corners=False).clamp(0, 1)


def transfer_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """A run for each restorer from the whole training set that was trained with another recogniser."""
    return {
        f"{teacher.card.name}: {name}": partial(_transferred, knowledge, cache, replaced, name)
        for teacher in knowledge.others
        for replaced in [replace(knowledge, embedder=teacher)]
        for name in whole_set_restorations(replaced, cache)
    }


def _transferred(knowledge: AttackerKnowledge, cache: AttackCache, teacher: AttackerKnowledge, name: str) -> Adversary:
    adversary = whole_set_restorations(teacher, cache)[name]()
    assert isinstance(adversary.embedder, RestoringEmbedder)
    key = f"{teacher.digest} {name}"
    return replace(adversary, embedder=TransferredRestorer(adversary.embedder, knowledge.embedder, cache, key).eval())


TRANSFERRED_RESTORATION = Attack(
    TRANSFER,
    "gray-box",
    "raw and captured photographs of faces from a bought camera, and another recogniser to train with",
    transfer_runs,
    trained=True,
    needs_gradients=False,
)

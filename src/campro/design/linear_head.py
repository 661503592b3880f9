"""The paper's attacker: a recogniser with a linear softmax head on its features."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from campro.core.types import Images
from campro.design.attackers import Attacker
from campro.models.faces import FaceEmbedder


class LinearHeadAttacker(Attacker):
    """A recogniser with a linear layer on its features, which are not normalised: one logit for each training person.

    Source: CamPro (NDSS 2024), V-C, Algorithm 1.

    Args:
        embedder: A differentiable recogniser.
        templates: Unit-norm mean embeddings, (P, D), one row per person.
        from_templates: Whether the layer starts at the templates, without bias; else at random, as in the paper.

    Raises:
        CamproError: If the recogniser is not differentiable.
    """

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"], from_templates: bool = False) -> None:
        super().__init__(embedder, templates)
        self.templates.requires_grad_(False)  # not used after the start
        people, size = templates.shape
        self.head = nn.Linear(size, people)
        if from_templates:
            self.head.load_state_dict({"weight": templates, "bias": torch.zeros(people)})

    def logits(self, captured: Images, rng: np.random.Generator) -> Float[Tensor, "B P"]:
        """See `Attacker.logits`; not scaled."""
        features = self.embedder.features(self.embedder.card.prepare(captured))
        logits: Tensor = self.head(features.float())
        return logits

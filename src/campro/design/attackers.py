"""Attackers in the adversarial game, trained in turn with the profile.

Each is a recogniser with a transform before or behind it. It gives one logit for each training person; the protector
lowers the logit of the right person.
"""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.types import Embeddings, Images
from campro.design.game_losses import attacker_loss
from campro.models.faces import FaceEmbedder

COSINE_SCALE = 32.0
"""Factor from cosine to logit; without it the softmax cannot reach high probabilities (ArcFace uses 64)."""
CLIPPED = 0.01
"""Share of a picture's pixels that the contrast stretch clips at either end."""
HIDDEN_UNITS = 16
"""Units of the colour network's hidden layer."""
MEMORY_SIZE = 512
"""Number of latest faces to which the ridge regression is fitted."""
RIDGE = 0.1
"""Regularisation weight as a share of the mean eigenvalue of x'x."""


class AttackerLosses(NamedTuple):
    """Loss of one attacker step, and the share of faces with the right person at rank 1 (0 to 1)."""

    loss: Tensor
    accuracy: Tensor


def check_differentiable(embedder: FaceEmbedder) -> None:
    """Check that gradients pass through a recogniser.

    Raises:
        CamproError: if they do not, as through an ONNX file, which can be audited but not trained against.
    """
    if not embedder.differentiable:
        remedy = "choose a torch model with --face-model; ONNX files are for audits only"
        raise CamproError("design", "a differentiable recogniser", embedder.card.name, remedy)


class Attacker(nn.Module):
    """A recogniser with a proxy head: cosine logits against one learned template per training person.

    The recogniser's weights are trained; its batch-norm statistics stay those of its original training (evaluation
    mode), as in the audit. Source: CamPro (NDSS 2024), V-C.

    Args:
        embedder: A differentiable recogniser.
        templates: Start values of the templates, (P, D), one row per person.

    Raises:
        CamproError: If the recogniser is not differentiable.
    """

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__()
        check_differentiable(embedder)
        self.embedder = embedder
        self.templates = nn.Parameter(templates.clone())

    def embeddings(self, captured: Images, rng: np.random.Generator) -> Embeddings:
        """Unit-norm embeddings (B, D) of captured crops (B, 3, h, w) in [0, 1]; `rng` draws random transforms."""
        embeddings: Tensor = self.embedder(captured)
        return embeddings

    def logits(self, captured: Images, rng: np.random.Generator) -> Float[Tensor, "B P"]:
        """Scaled cosine similarity to every person's template."""
        return COSINE_SCALE * F.linear(self.embeddings(captured, rng), F.normalize(self.templates))

    def forward(
        self, captured: Images, raw: Images, person: Int[Tensor, "B"], rng: np.random.Generator
    ) -> AttackerLosses:
        """Loss and accuracy on captured crops.

        Args:
            captured: Crops as the camera captures them, (B, 3, h, w) in [0, 1].
            raw: The same crops without the profile.
            person: Index of the person in each crop.
            rng: Source of the attacker's random transforms.
        """
        logits = self.logits(captured, rng)
        return AttackerLosses(attacker_loss(logits, person), accuracy(logits, person))


class FilteringAttacker(Attacker):
    """Recognises greyscale projections of the colours along a random axis, with stretched contrast.

    Single channels, luma, the first principal component and their negatives are special cases of the axis.
    """

    def embeddings(self, captured: Images, rng: np.random.Generator) -> Embeddings:
        """See `Attacker.embeddings`."""
        axes = torch.from_numpy(rng.standard_normal((len(captured), 3))).to(captured)
        return super().embeddings(stretched_along(captured, F.normalize(axes)), rng)


class ColourAttacker(Attacker):
    """Trains a pointwise colour network in front of its recogniser, starting at the identity."""

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__(embedder, templates)
        last = nn.Conv2d(HIDDEN_UNITS, 3, 1, bias=False)
        nn.init.zeros_(last.weight)
        self.colours = nn.Sequential(nn.Conv2d(3, HIDDEN_UNITS, 1), nn.LeakyReLU(), last)

    def embeddings(self, captured: Images, rng: np.random.Generator) -> Embeddings:
        """See `Attacker.embeddings`."""
        return super().embeddings((captured + self.colours(captured)).clamp(0, 1), rng)


class DistillingAttacker(Attacker):
    """Distils the embeddings that the original recogniser (the teacher) has for raw faces; needs no identities."""

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__(embedder, templates)
        self.templates.requires_grad_(False)  # the loss does not depend on them
        self.teacher = deepcopy(embedder).requires_grad_(False)

    def forward(
        self, captured: Images, raw: Images, person: Int[Tensor, "B"], rng: np.random.Generator
    ) -> AttackerLosses:
        """Mean of 1 - cos(F'(C(x)), F(x)) over faces x, and the accuracy; see `Attacker.forward`."""
        with torch.no_grad():
            targets: Tensor = self.teacher(raw)
        embeddings = self.embeddings(captured, rng)
        logits = COSINE_SCALE * F.linear(embeddings, F.normalize(self.templates))
        return AttackerLosses(1 - (embeddings * targets).sum(1).mean(), accuracy(logits, person))


class RidgeAttacker(Attacker):
    """Maps embeddings of captured faces to those of raw faces by ridge regression; the recogniser stays frozen.

    The regression is solved in closed form at every step, so the attacker never lags behind the profile. It is fitted
    to the last `MEMORY_SIZE` faces.
    """

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__(embedder, templates)
        self.requires_grad_(False)
        size = templates.shape[1]
        self.register_buffer("memory", torch.zeros(0, 2, size))  # captured and raw embeddings of the last faces
        self.register_buffer("mapping", torch.eye(size))
        self.memory: Tensor
        self.mapping: Tensor

    def embeddings(self, captured: Images, rng: np.random.Generator) -> Embeddings:
        """See `Attacker.embeddings`."""
        return F.normalize(super().embeddings(captured, rng) @ self.mapping)

    @torch.no_grad()
    def forward(
        self, captured: Images, raw: Images, person: Int[Tensor, "B"], rng: np.random.Generator
    ) -> AttackerLosses:
        """Loss 1 - cosine and accuracy before the batch is added to the memory; then fit again."""
        captured_embeddings, targets = self.embedder(captured), self.embedder(raw)
        logits = self.logits(captured, rng)
        loss = 1 - (F.normalize(captured_embeddings @ self.mapping) * targets).sum(1).mean()
        self.memory = torch.cat([self.memory, torch.stack([captured_embeddings, targets], 1)])[-MEMORY_SIZE:]
        self.mapping = ridge(self.memory[:, 0], self.memory[:, 1])
        return AttackerLosses(loss, accuracy(logits, person))

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest: object) -> None:
        self.memory = torch.zeros_like(state_dict[f"{prefix}memory"])  # the size varies until the memory is full
        super()._load_from_state_dict(state_dict, prefix, *rest)


def ridge(x: Float[Tensor, "N D"], y: Float[Tensor, "N E"]) -> Float[Tensor, "D E"]:
    """argmin over W of |xW - y|^2 + c|W|^2 with c = RIDGE x the mean eigenvalue of x'x.

    >>> x = torch.eye(2)
    >>> torch.allclose(ridge(x, x), x / (1 + RIDGE))
    True
    """
    gram = x.T @ x
    weight = RIDGE * gram.diagonal().mean().clamp(min=1e-12)
    return torch.linalg.solve(gram + weight * torch.eye(len(gram)).to(gram), x.T @ y)


def stretched_along(images: Images, axes: Float[Tensor, "B 3"]) -> Images:
    """Greyscale projection of each image on its axis, stretched so that all but the CLIPPED tails span [0, 1].

    Args:
        images: (B, 3, h, w) in [0, 1].
        axes: One unit vector in RGB for each image.

    Returns:
        (B, 3, h, w) in [0, 1], three equal channels.
    """
    planes = torch.einsum("bchw,bc->bhw", images, axes)
    ends = planes.detach().flatten(1).quantile(torch.tensor([CLIPPED, 1 - CLIPPED]).to(planes), dim=1)
    low, high = ends[..., None, None]
    return ((planes - low) / (high - low).clamp(min=1 / 255)).clamp(0, 1)[:, None].expand_as(images)


def accuracy(logits: Float[Tensor, "B P"], person: Int[Tensor, "B"]) -> Float[Tensor, ""]:
    """Share of faces for which the right person has the largest logit (rank-1, 0 to 1)."""
    return (logits.argmax(1) == person).float().mean()


ATTACKERS: dict[str, type[Attacker]] = {
    "recogniser": Attacker,
    "filters": FilteringAttacker,
    "colours": ColourAttacker,
    "distilled": DistillingAttacker,
    "ridge": RidgeAttacker,
}
"""The table of attackers that `campro design --attackers` chooses from."""

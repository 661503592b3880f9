"""Attackers inside the game: a profile is only as good as the strongest of those it was trained against.

Each is a recogniser with something before or behind it, learns while the profile does, and gives every training
person a logit, which the protector pushes down.
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
"""Logit of a perfect match; cosine logits need a scale to let the softmax get sure (ArcFace uses 64)."""
TAIL = 0.01
"""Share of a picture's pixels that a stretched contrast lets clip at either end."""
HIDDEN = 16
"""Units of a learned map of colours."""
REMEMBERED = 512
"""Faces to which a ridge regression is fitted."""
RIDGE = 0.1
"""Of the mean eigenvalue of what is regressed on."""


class AttackerLosses(NamedTuple):
    """What an attacker step reports: its loss and the share of faces it names rightly."""

    loss: Tensor
    accuracy: Tensor


class Attacker(nn.Module):
    """A recogniser with a proxy head: cosine logits against one learned template per training person.

    The recogniser stays in evaluation mode: its batch-norm statistics are those of its own training, as in the
    audit; its weights learn. Source: CamPro (NDSS 2024), V-C.
    """

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__()
        if not embedder.differentiable:
            remedy = "choose a torch model with --face-model"
            raise CamproError("design", "a differentiable recogniser", embedder.card.name, remedy)
        self.embedder = embedder
        self.templates = nn.Parameter(templates.clone())

    def rows(self, captured: Images, rng: np.random.Generator) -> Embeddings:
        """What the attacker makes of captured faces; `rng` decides whatever is random in it."""
        said: Tensor = self.embedder(captured)
        return said

    def logits(self, captured: Images, rng: np.random.Generator) -> Float[Tensor, "B P"]:
        """Scaled cosine to every person's template."""
        return COSINE_SCALE * F.linear(self.rows(captured, rng), F.normalize(self.templates))

    def forward(
        self, captured: Images, raw: Images, person: Int[Tensor, "B"], rng: np.random.Generator
    ) -> AttackerLosses:
        """Cross-entropy and accuracy on captured faces, whose raw versions are known."""
        logits = self.logits(captured, rng)
        return AttackerLosses(attacker_loss(logits, person), accuracy(logits, person))


class FilteringAttacker(Attacker):
    """Looks at each face as grey along a random direction of its colours, with stretched contrast.

    Single channels, luma, the principal component and the negatives of all these are among the directions.
    """

    def rows(self, captured: Images, rng: np.random.Generator) -> Embeddings:
        """See `Attacker.rows`."""
        axes = torch.from_numpy(rng.standard_normal((len(captured), 3))).to(captured)
        return super().rows(stretched_along(captured, F.normalize(axes)), rng)


class ColourAttacker(Attacker):
    """Learns a map of colours in front of its recogniser."""

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__(embedder, templates)
        last = nn.Conv2d(HIDDEN, 3, 1, bias=False)
        nn.init.zeros_(last.weight)
        self.colours = nn.Sequential(nn.Conv2d(3, HIDDEN, 1), nn.LeakyReLU(), last)

    def rows(self, captured: Images, rng: np.random.Generator) -> Embeddings:
        """See `Attacker.rows`."""
        return super().rows((captured + self.colours(captured)).clamp(0, 1), rng)


class DistillingAttacker(Attacker):
    """Learns to say of a captured face what the recogniser as it was says of the raw one: it needs no names."""

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__(embedder, templates)
        self.templates.requires_grad_(False)  # the recogniser's own answers are what is imitated
        self.known = deepcopy(embedder).requires_grad_(False)

    def forward(
        self, captured: Images, raw: Images, person: Int[Tensor, "B"], rng: np.random.Generator
    ) -> AttackerLosses:
        """Mean of 1 - cos(F'(C(x)), F(x)), and accuracy."""
        with torch.no_grad():
            wanted: Tensor = self.known(raw)
        said = self.rows(captured, rng)
        logits = COSINE_SCALE * F.linear(said, F.normalize(self.templates))
        return AttackerLosses(1 - (said * wanted).sum(1).mean(), accuracy(logits, person))


class RidgeAttacker(Attacker):
    """Leaves the recogniser as it is, and fits in closed form what it says of captured faces to what of raw ones.

    At its best at every step, so the game cannot win by outrunning it. It remembers the last faces it saw.
    """

    def __init__(self, embedder: FaceEmbedder, templates: Float[Tensor, "P D"]) -> None:
        super().__init__(embedder, templates)
        self.requires_grad_(False)
        size = templates.shape[1]
        self.register_buffer("seen", torch.zeros(0, 2, size))
        self.register_buffer("fit", torch.eye(size))
        self.seen: Tensor
        self.fit: Tensor

    def rows(self, captured: Images, rng: np.random.Generator) -> Embeddings:
        """See `Attacker.rows`."""
        return F.normalize(super().rows(captured, rng) @ self.fit)

    @torch.no_grad()
    def forward(
        self, captured: Images, raw: Images, person: Int[Tensor, "B"], rng: np.random.Generator
    ) -> AttackerLosses:
        """Fit anew; the loss is the distance of directions before that, on faces it had not seen."""
        before, wanted = self.embedder(captured), self.embedder(raw)
        logits = self.logits(captured, rng)
        loss = 1 - (F.normalize(before @ self.fit) * wanted).sum(1).mean()
        self.seen = torch.cat([self.seen, torch.stack([before, wanted], 1)])[-REMEMBERED:]
        self.fit = ridge(self.seen[:, 0], self.seen[:, 1])
        return AttackerLosses(loss, accuracy(logits, person))

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest: object) -> None:
        self.seen = torch.zeros_like(state_dict[f"{prefix}seen"])  # as many faces as were remembered
        super()._load_from_state_dict(state_dict, prefix, *rest)


def ridge(x: Float[Tensor, "N D"], y: Float[Tensor, "N E"]) -> Float[Tensor, "D E"]:
    """argmin over W of |xW - y|^2 + c|W|^2, c a share of the mean eigenvalue of x'x.

    >>> x = torch.eye(2)
    >>> torch.allclose(ridge(x, x), x / (1 + RIDGE))
    True
    """
    gram = x.T @ x
    weight = RIDGE * gram.diagonal().mean().clamp(min=1e-12)
    return torch.linalg.solve(gram + weight * torch.eye(len(gram)).to(gram), x.T @ y)


def stretched_along(images: Images, axes: Float[Tensor, "B 3"]) -> Images:
    """Each picture as grey along an axis of its colours, the middle of its histogram over [0, 1]."""
    planes = torch.einsum("bchw,bc->bhw", images, axes)
    ends = planes.detach().flatten(1).quantile(torch.tensor([TAIL, 1 - TAIL]).to(planes), dim=1)
    low, high = ends[..., None, None]
    return ((planes - low) / (high - low).clamp(min=1 / 255)).clamp(0, 1)[:, None].expand_as(images)


def accuracy(logits: Float[Tensor, "B P"], person: Int[Tensor, "B"]) -> Float[Tensor, ""]:
    """Share of faces whose own logit is the largest."""
    return (logits.argmax(1) == person).float().mean()


ATTACKERS: dict[str, type[Attacker]] = {
    "recogniser": Attacker,
    "filters": FilteringAttacker,
    "colours": ColourAttacker,
    "distilled": DistillingAttacker,
    "ridge": RidgeAttacker,
}
"""The table of attackers that `campro design --attackers` chooses from."""

"""The losses of the adversarial game, as functions of logits (CamPro, NDSS 2024, V-C)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def attacker_loss(logits: Float[Tensor, "B P"], person: Int[Tensor, "B"]) -> Float[Tensor, ""]:
    """Mean cross-entropy over P people: minimised by the attackers (eq. 4)."""
    return F.cross_entropy(logits, person)


def protector_face_loss(logits: Float[Tensor, "B P"], person: Int[Tensor, "B"]) -> Float[Tensor, ""]:
    """Mean of -log(1 - p_y), where p_y is the probability of the right person: the paper's L_ns.

    It does not saturate: the gradient is largest where the attacker is most confident. Computed as
    logsumexp(all) - logsumexp(all but y), which stays finite where 1 - p_y underflows.

    >>> float(protector_face_loss(torch.zeros(1, 2), torch.tensor([0])))  # p = 1/2, so -log(1/2)
    0.6931471824645996
    """
    others = logits.scatter(1, person[:, None], -torch.inf)
    return (logits.logsumexp(1) - others.logsumexp(1)).mean()


def protector_loss(face: Tensor, detection: Tensor, omega: float) -> Tensor:
    """Face loss + omega x detection loss: minimised by pipeline and detector together (eq. 6)."""
    return face + omega * detection

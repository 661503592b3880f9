"""What an enhancer is asked for: everything back, faces left out (CamPro, NDSS 2024, V-D, eqs. 7-8)."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from campro.core.types import Images

Background = Float[Tensor, "B 1 H W"]
"""s of eq. 8: 1 where the picture should come back, 0 on faces."""


class Sample(NamedTuple):
    """A batch to learn from."""

    uncompressed: Images
    """As the camera made it."""
    captured: Images
    """The same, but as most pictures come: some of it went through JPEG."""
    coloured: Images
    """What colours alone tell of that (`Enhancer.colours`)."""
    raw: Images
    background: Background


def enhancement_loss(enhanced: Images, raw: Images, background: Background) -> Float[Tensor, ""]:
    """Mean of s |R(C(x)) - x| + (1 - s) |R(C(x))|: the photograph outside faces, black on them.

    >>> import torch
    >>> black, s = torch.zeros(1, 3, 2, 2), torch.tensor([[1.0, 0.0], [0.0, 0.0]]).expand(1, 1, 2, 2)
    >>> float(enhancement_loss(black, torch.ones(1, 3, 2, 2), s))
    0.25
    """
    return (enhanced - raw * background).abs().mean()

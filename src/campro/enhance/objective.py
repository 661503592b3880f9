"""What an enhancer is asked for: everything back, faces left out (CamPro, NDSS 2024, V-D, eqs. 7-8)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from campro.core.types import Images

Background = Float[Tensor, "B 1 H W"]
"""s of eq. 8: 1 where the picture should come back, 0 on faces."""
CELL, APART = 8, (1, 2, 3)
"""Unevenness is seen between cells of so many pixels, so many cells apart: pictures of 32 x 32 or more have it."""


def enhancement_loss(enhanced: Images, raw: Images, background: Background) -> Float[Tensor, ""]:
    """Mean of s |R(C(x)) - x| + (1 - s) |R(C(x))|: the photograph outside faces, black on them.

    >>> import torch
    >>> black, s = torch.zeros(1, 3, 2, 2), torch.tensor([[1.0, 0.0], [0.0, 0.0]]).expand(1, 1, 2, 2)
    >>> float(enhancement_loss(black, torch.ones(1, 3, 2, 2), s))
    0.25
    """
    return (enhanced - raw * background).abs().mean()


def unevenness(enhanced: Images, raw: Images) -> Float[Tensor, ""]:
    """Mean of how wrong the steps between the mean colours of near cells are: blotches cost, one shift of all does not.

    >>> import torch
    >>> even = torch.zeros(1, 3, 64, 64)
    >>> float(unevenness(even + 0.5, even))
    0.0
    """
    error = F.avg_pool2d(enhanced - raw, CELL)
    down = [(error[..., apart:, :] - error[..., :-apart, :]).abs().mean() for apart in APART]
    across = [(error[..., apart:] - error[..., :-apart]).abs().mean() for apart in APART]
    return torch.stack(down + across).mean()

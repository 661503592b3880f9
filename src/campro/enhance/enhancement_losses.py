"""Losses of enhancers: restore the picture and leave faces black (CamPro, NDSS 2024, V-D, eqs. 7-8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.types import Images

Background = Float[Tensor, "B 1 H W"]
"""s of eq. 8: 1 outside faces, 0 on faces."""


class Sample(NamedTuple):
    """A batch of training pieces; pictures are (B, 3, H, W) in [0, 1]."""

    uncompressed: Images
    """The camera's output."""
    captured: Images
    """The same, part of it after JPEG compression."""
    recoloured: Images
    """`captured` after recolouring (`Enhancer.recolouring`)."""
    ambiguity: Images
    """Ambiguity class of each channel of `recoloured`: 0, 1/3, 2/3 or 1 (see `inverse.ambiguity_codes`)."""
    raw: Images
    """The photograph without noise: the target."""
    background: Background


def enhancement_loss(enhanced: Images, raw: Images, background: Background) -> Float[Tensor, ""]:
    """Eq. 7: mean of s |R(C(x)) - x| + (1 - s) |R(C(x))|; the target is the photograph outside faces, black on faces.

    >>> import torch
    >>> black, s = torch.zeros(1, 3, 2, 2), torch.tensor([[1.0, 0.0], [0.0, 0.0]]).expand(1, 1, 2, 2)
    >>> float(enhancement_loss(black, torch.ones(1, 3, 2, 2), s))
    0.25
    """
    return (enhanced - raw * background).abs().mean()


def contrast_loss(enhanced: Images, raw: Images, background: Background, distances: Sequence[int]) -> Float[Tensor, ""]:
    """Mean absolute error of differences between pixels of the background, `distances` apart along rows and columns.

    A constant error is hardly visible, an error that varies over a smooth area is: this loss penalises only the latter.

    >>> import torch
    >>> raw, blotch = torch.zeros(1, 3, 2, 2), torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]]).expand(1, 3, 2, 2)
    >>> [float(contrast_loss(one, raw, torch.ones(1, 1, 2, 2), [1])) for one in (raw + 0.5, blotch)]
    [0.0, 0.5]
    """
    error, terms = enhanced - raw, []
    for distance in distances:
        for axis in (2, 3):
            ends = (slice(distance, None), slice(None, -distance))
            here, there = ((slice(None),) * axis + (end,) for end in ends)
            terms.append(((error[here] - error[there]).abs() * background[here] * background[there]).mean())
    return torch.stack(terms).mean()

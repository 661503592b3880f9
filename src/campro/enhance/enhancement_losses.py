"""What an enhancer is asked for: everything back, faces left out (CamPro, NDSS 2024, V-D, eqs. 7-8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
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
    spread: Images
    """And how unsure that is, by channel: classes of `isp.inverse.spread_codes`, as 0, 1/3, 2/3 and 1."""
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


def contrast_loss(enhanced: Images, raw: Images, background: Background, distances: Sequence[int]) -> Float[Tensor, ""]:
    """Mean error of differences between pixels of the background that are so far apart, along rows and columns.

    A wall that is off by the same all over looks like a wall; one that is off by more here than there has blotches.

    >>> import torch
    >>> raw, blotch = torch.zeros(1, 3, 2, 2), torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]]).expand(1, 3, 2, 2)
    >>> [float(contrast_loss(one, raw, torch.ones(1, 1, 2, 2), [1])) for one in (raw + 0.5, blotch)]
    [0.0, 0.5]
    """
    error, terms = enhanced - raw, []
    for apart in distances:
        for axis in (2, 3):
            ends = (slice(apart, None), slice(None, -apart))
            here, there = ((slice(None),) * axis + (end,) for end in ends)
            terms.append(((error[here] - error[there]).abs() * background[here] * background[there]).mean())
    return torch.stack(terms).mean()

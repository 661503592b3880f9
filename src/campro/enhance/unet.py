"""The paper's enhancer: a U-Net of five levels (CamPro, NDSS 2024, V-D)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from campro.core.types import Images
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.padding import padded

SLOPE = 0.2
"""Negative slope of the leaky ReLU."""


class UNet(Enhancer):
    """`depth` scales of two 3 x 3 convolutions, max pooling down and transposed convolutions up, with skips.

    Source of the architecture: Chen et al., Learning to See in the Dark (CVPR 2018), as in the paper.
    """

    def __init__(self, base: int = 32, depth: int = 5) -> None:
        super().__init__()
        widths = [base * 2**level for level in range(depth)]
        self.down = nn.ModuleList(_double(a, b) for a, b in zip([3, *widths], widths))
        pairs = list(pairwise(widths))[::-1]
        self.grow = nn.ModuleList(nn.ConvTranspose2d(deep, shallow, 2, stride=2) for shallow, deep in pairs)
        self.up = nn.ModuleList(_double(2 * shallow, shallow) for shallow, _ in pairs)
        self.last = nn.Conv2d(base, 3, 1)
        self.multiple = 2 ** (depth - 1)

    def forward(self, captured: Images) -> Images:
        """See `Enhancer.forward`."""
        x, skips = padded(captured, self.multiple), []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        for grow, block, skip in zip(self.grow, self.up, skips[-2::-1]):
            x = block(torch.cat([grow(x), skip], 1))
        height, width = captured.shape[2:]
        return self.last(x)[:, :, :height, :width]


def _double(inside: int, outside: int) -> nn.Sequential:
    """The activations are in place: the backward pass then needs only what the next convolution stores anyway."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1),
        nn.LeakyReLU(SLOPE, inplace=True),
        nn.Conv2d(outside, outside, 3, padding=1),
        nn.LeakyReLU(SLOPE, inplace=True),
    )

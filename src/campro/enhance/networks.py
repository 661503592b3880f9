"""The two small networks of the fast enhancer: each draws its part of the map at an eighth of the size.

They share nothing. When one drew both, what it learned was where faces are, which is much, and nothing of colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.types import Images

TOLD = 18
"""Figures of each cell: see `campro.inversion.cell_grid.cell_features`."""
STEM, EXPANSION = 24, 2
"""Channels at a quarter of the size, and how much wider a depthwise convolution is than what it is between."""

Told = Float[Tensor, "B 18 h w"]


class KeepNet(nn.Module):
    """Where no faces are, (B, 1, h, w) logits, from captured pictures, (B, 3, 8 h, 8 w).

    Depthwise convolutions see far for little: whether a patch of skin is a face is decided by what is around it.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 112, 112), blocks: Sequence[int] = (2, 3, 3, 2)) -> None:
        super().__init__()
        self.widths = tuple(widths[:-1])
        self.stem = nn.Sequential(_convolve(3, STEM, 4, stride=4), _depthwise(STEM, widths[0], stride=2))
        self.draw = MapNet(1, widths, blocks)

    def forward(self, captured: Images) -> Float[Tensor, "B 1 h w"]:
        """h and w are multiples of 8."""
        return self.with_features(captured)[0]

    def with_features(self, captured: Images) -> tuple[Float[Tensor, "B 1 h w"], list[Float[Tensor, "B width h w"]]]:
        """Also its features at 1/8, 1/16 and 1/32, of `widths` channels; the logits are drawn from the first."""
        features = self.draw.features(self.stem(captured))
        return self.draw.head(features[0]), features


class TintNet(nn.Module):
    """What to add to the colours of each cell, (B, 3, h, w); nothing at the start.

    What colours a place has changes little from cell to cell: most is thought of four cells at a time.
    """

    def __init__(
        self, width: int = 24, widths: Sequence[int] = (48, 64, 64), blocks: Sequence[int] = (1, 2, 2)
    ) -> None:
        super().__init__()
        self.told = _convolve(TOLD, width)
        self.told_four = _convolve(TOLD, widths[0], 2, stride=2)
        self.draw = MapNet(width, widths, blocks)
        self.merge = Residual(width)
        self.head = nn.Conv2d(width, 3, 1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, told: Told) -> Float[Tensor, "B 3 h w"]:
        """h and w are multiples of 8."""
        drawn = self.draw(self.told_four(told))
        tint: Tensor = self.head(self.merge(self.told(told) + _doubled(drawn)))
        return tint


class MapNet(nn.Module):
    """(B, widths[0], h, w) -> (B, channels, h, w): a U-Net with added skips, of so many blocks at each of its sizes."""

    def __init__(self, channels: int, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        self.shrink = nn.ModuleList(_depthwise(finer, coarser, stride=2) for finer, coarser in pairwise(widths))
        self.levels = nn.ModuleList(
            nn.Sequential(*(Residual(width) for _ in range(count))) for width, count in zip(widths, blocks)
        )
        self.up = nn.ModuleList(nn.Conv2d(coarser, finer, 1) for finer, coarser in pairwise(widths))
        self.merge = nn.ModuleList(Residual(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], channels, 1)

    def forward(self, cells: Float[Tensor, "B width h w"]) -> Float[Tensor, "B channels h w"]:
        """h and w are multiples of 8."""
        drawn: Tensor = self.head(self.features(cells)[0])
        return drawn

    def features(self, cells: Float[Tensor, "B width h w"]) -> list[Float[Tensor, "B width h w"]]:
        """What it thinks in the end at each size but the smallest, the largest first."""
        first, *others = self.levels
        seen = [first(cells)]
        for shrink, level in zip(self.shrink, others):
            seen.append(level(shrink(seen[-1])))
        thought = [seen.pop()]
        for up, merge, finer in zip(reversed(self.up), reversed(self.merge), reversed(seen)):
            thought.append(merge(finer + _doubled(up(thought[-1]))))
        return thought[:0:-1]


class Residual(nn.Module):
    """x + project(depthwise 5 x 5(expand(x))), of the same width (Sandler et al., MobileNetV2, CVPR 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = _depthwise(width, width)

    def forward(self, x: Float[Tensor, "B width h w"]) -> Float[Tensor, "B width h w"]:
        return x + self.inner(x)


def _doubled(x: Float[Tensor, "B width h w"]) -> Float[Tensor, "B width 2*h 2*w"]:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _depthwise(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    """Expand, see, project."""
    wide = EXPANSION * inside
    return nn.Sequential(
        _convolve(inside, wide),
        _convolve(wide, wide, 5, stride, groups=wide),
        nn.Conv2d(wide, outside, 1, bias=False),
        nn.BatchNorm2d(outside),
    )


def _convolve(inside: int, outside: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    padding = size // 2 if size % 2 else 0
    convolution = nn.Conv2d(inside, outside, size, stride, padding, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.ReLU())

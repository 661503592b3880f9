"""The two small networks of the fast enhancer; each predicts its part of the cell map (one value for 8 x 8 pixels).

They share no layers: a shared network learned where faces are and nothing about colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.types import Images

CELL_FEATURES = 18
"""Channels of `campro.inversion.cell_grid.cell_features`."""
STEM_WIDTH = 24
"""Channels at a quarter of the resolution."""
EXPANSION = 2
"""Width of a depthwise convolution, relative to its input."""

CellFeatures = Float[Tensor, "B 18 h w"]


class MaskNet(nn.Module):
    """Face mask: captured pictures (B, 3, 8 h, 8 w) to logits (B, 1, h, w), positive outside faces.

    Depthwise convolutions give a wide receptive field at low cost: whether a patch of skin belongs to a face depends on
    its surroundings.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 112, 112), blocks: Sequence[int] = (2, 3, 3, 2)) -> None:
        super().__init__()
        self.widths = tuple(widths[:-1])
        self.stem = nn.Sequential(_convolution(3, STEM_WIDTH, 4, stride=4), _depthwise(STEM_WIDTH, widths[0], stride=2))
        self.body = CellUNet(1, widths, blocks)

    def forward(self, captured: Images) -> Float[Tensor, "B 1 h w"]:
        """Logits; h and w are multiples of 8."""
        return self.with_features(captured)[0]

    def with_features(self, captured: Images) -> tuple[Float[Tensor, "B 1 h w"], list[Float[Tensor, "B width h w"]]]:
        """Logits, and the features at 1/8, 1/16 and 1/32 of the resolution, with `widths` channels."""
        features = self.body.features(self.stem(captured))
        return self.body.head(features[0]), features


class TintNet(nn.Module):
    """Correction of the mean colour of each cell, (B, 3, h, w), added to levels in [0, 1]; 0 at initialisation.

    Colour errors vary slowly over a picture, so most of the computation is at half the resolution of the cell map.
    """

    def __init__(
        self, width: int = 24, widths: Sequence[int] = (48, 64, 64), blocks: Sequence[int] = (1, 2, 2)
    ) -> None:
        super().__init__()
        self.stem = _convolution(CELL_FEATURES, width)
        self.half_stem = _convolution(CELL_FEATURES, widths[0], 2, stride=2)
        self.body = CellUNet(width, widths, blocks)
        self.merge = Residual(width)
        self.head = nn.Conv2d(width, 3, 1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, features: CellFeatures) -> Float[Tensor, "B 3 h w"]:
        """The correction; h and w are multiples of 8."""
        coarse = self.body(self.half_stem(features))
        tint: Tensor = self.head(self.merge(self.stem(features) + _doubled(coarse)))
        return tint


class CellUNet(nn.Module):
    """A U-Net with additive skip connections: (B, widths[0], h, w) to (B, channels, h, w).

    `widths` and `blocks` give the channels and the number of residual blocks of each scale, the finest first.
    """

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
        """The output of the head; h and w are multiples of 8."""
        out: Tensor = self.head(self.features(cells)[0])
        return out

    def features(self, cells: Float[Tensor, "B width h w"]) -> list[Float[Tensor, "B width h w"]]:
        """Features of the decoder at every scale but the coarsest, the finest first."""
        first, *others = self.levels
        encoded = [first(cells)]
        for shrink, level in zip(self.shrink, others):
            encoded.append(level(shrink(encoded[-1])))
        decoded = [encoded.pop()]
        for up, merge, skip in zip(reversed(self.up), reversed(self.merge), reversed(encoded)):
            decoded.append(merge(skip + _doubled(up(decoded[-1]))))
        return decoded[:0:-1]


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
    """1 x 1 expansion, 5 x 5 depthwise convolution, 1 x 1 projection."""
    wide = EXPANSION * inside
    return nn.Sequential(
        _convolution(inside, wide),
        _convolution(wide, wide, 5, stride, groups=wide),
        nn.Conv2d(wide, outside, 1, bias=False),
        nn.BatchNorm2d(outside),
    )


def _convolution(inside: int, outside: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    padding = size // 2 if size % 2 else 0
    convolution = nn.Conv2d(inside, outside, size, stride, padding, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.ReLU())

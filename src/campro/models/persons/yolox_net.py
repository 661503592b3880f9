"""The network of YOLOX: CSPDarknet, PAFPN and decoupled head, with multipliers for depth and width.

Source: "YOLOX: Exceeding YOLO Series in 2021" (arXiv 2107.08430). Submodules have the names that the published
checkpoints use, so that those load without renaming.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
"""Sides of the cells of the three prediction levels, in pixels of the input."""


@dataclass(frozen=True)
class YoloxShape:
    """Multipliers of depth and width; `depthwise` replaces 3x3 convolutions by depthwise and pointwise ones."""

    depth: float
    width: float
    depthwise: bool = False
    classes: int = 80

    def channels(self, full: int) -> int:
        """Number of channels of a layer that has `full` channels at width 1."""
        return int(full * self.width)


class ConvBlock(nn.Module):
    """Convolution, batch norm, SiLU."""

    def __init__(self, inner: int, outer: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inner, outer, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outer, eps=1e-3, momentum=0.03)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.bn(self.conv(x)))


class DepthwiseConv(nn.Module):
    """Depthwise then pointwise convolution."""

    def __init__(self, inner: int, outer: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.dconv = ConvBlock(inner, inner, kernel, stride, groups=inner)
        self.pconv = ConvBlock(inner, outer, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pconv(self.dconv(x))


def conv3(shape: YoloxShape, inner: int, outer: int, stride: int = 1) -> nn.Module:
    """A 3x3 convolution, depthwise separable where the shape says so."""
    return (DepthwiseConv if shape.depthwise else ConvBlock)(inner, outer, 3, stride)


class Bottleneck(nn.Module):
    """1x1 then 3x3 convolution, with or without the shortcut."""

    def __init__(self, shape: YoloxShape, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1, self.conv2 = ConvBlock(channels, channels, 1), conv3(shape, channels, channels)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        return y + x if self.shortcut else y


class CSPLayer(nn.Module):
    """Cross-stage partial layer: half of the channels pass the bottlenecks, the other half skips them."""

    def __init__(self, shape: YoloxShape, inner: int, outer: int, blocks: int, shortcut: bool = True) -> None:
        super().__init__()
        hidden = outer // 2
        self.conv1, self.conv2 = ConvBlock(inner, hidden, 1), ConvBlock(inner, hidden, 1)
        self.m = nn.Sequential(*(Bottleneck(shape, hidden, shortcut) for _ in range(blocks)))
        self.conv3 = ConvBlock(2 * hidden, outer, 1)

    def forward(self, x: Tensor) -> Tensor:
        main, skip = self.conv1(x), self.conv2(x)
        return self.conv3(torch.cat([self.m(main), skip], 1))


class Focus(nn.Module):
    """Each 2x2 block of pixels becomes 12 channels (top left, bottom left, top right, bottom right)."""

    def __init__(self, outer: int) -> None:
        super().__init__()
        self.conv = ConvBlock(12, outer, 3)

    def forward(self, x: Tensor) -> Tensor:
        corners = [x[..., row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.conv(torch.cat(corners, 1))


class SPPBottleneck(nn.Module):
    """Spatial pyramid pooling with windows of 5, 9 and 13."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = ConvBlock(channels, channels // 2, 1), ConvBlock(channels * 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        pools = [F.max_pool2d(x, window, 1, window // 2) for window in (5, 9, 13)]
        return self.conv2(torch.cat([x, *pools], 1))


class CSPDarknet(nn.Module):
    """Backbone: (B, 3, H, W) -> feature maps at strides 8, 16 and 32."""

    def __init__(self, shape: YoloxShape) -> None:
        super().__init__()
        base, blocks = shape.channels(64), max(round(shape.depth * 3), 1)

        def stage(inner: int, count: int, *before: nn.Module, shortcut: bool = True) -> nn.Sequential:
            outer = 2 * inner
            return nn.Sequential(conv3(shape, inner, outer, 2), *before, CSPLayer(shape, outer, outer, count, shortcut))

        self.stem = Focus(base)
        self.dark2 = stage(base, blocks)
        self.dark3 = stage(base * 2, blocks * 3)
        self.dark4 = stage(base * 4, blocks * 3)
        self.dark5 = stage(base * 8, blocks, SPPBottleneck(base * 16), shortcut=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        c3 = self.dark3(self.dark2(self.stem(x)))
        c4 = self.dark4(c3)
        return c3, c4, self.dark5(c4)


class PAFPN(nn.Module):
    """Backbone and path-aggregation neck: (B, 3, H, W) -> feature maps at strides 8, 16 and 32."""

    def __init__(self, shape: YoloxShape) -> None:
        super().__init__()
        small, middle, large = (shape.channels(c) for c in (256, 512, 1024))

        def csp(inner: int, outer: int) -> CSPLayer:
            return CSPLayer(shape, inner, outer, round(3 * shape.depth), shortcut=False)

        self.backbone = CSPDarknet(shape)
        self.lateral_conv0, self.C3_p4 = ConvBlock(large, middle, 1), csp(2 * middle, middle)
        self.reduce_conv1, self.C3_p3 = ConvBlock(middle, small, 1), csp(2 * small, small)
        self.bu_conv2, self.C3_n3 = conv3(shape, small, small, 2), csp(2 * small, middle)
        self.bu_conv1, self.C3_n4 = conv3(shape, middle, middle, 2), csp(2 * middle, large)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        c3, c4, c5 = self.backbone(x)
        top = self.lateral_conv0(c5)
        middle = self.reduce_conv1(self.C3_p4(torch.cat([F.interpolate(top, scale_factor=2.0), c4], 1)))
        p3 = self.C3_p3(torch.cat([F.interpolate(middle, scale_factor=2.0), c3], 1))
        p4 = self.C3_n3(torch.cat([self.bu_conv2(p3), middle], 1))
        return p3, p4, self.C3_n4(torch.cat([self.bu_conv1(p4), top], 1))


class Head(nn.Module):
    """Decoupled head; channels of each level: 4 of the box, objectness, classes."""

    def __init__(self, shape: YoloxShape) -> None:
        super().__init__()
        width = shape.channels(256)

        def tower() -> nn.Sequential:
            return nn.Sequential(conv3(shape, width, width), conv3(shape, width, width))

        levels = range(len(STRIDES))
        self.stems = nn.ModuleList(ConvBlock(shape.channels(256 * 2**level), width, 1) for level in levels)
        self.cls_convs = nn.ModuleList(tower() for _ in levels)
        self.reg_convs = nn.ModuleList(tower() for _ in levels)
        self.cls_preds = nn.ModuleList(nn.Conv2d(width, shape.classes, 1) for _ in levels)
        self.reg_preds = nn.ModuleList(nn.Conv2d(width, 4, 1) for _ in levels)
        self.obj_preds = nn.ModuleList(nn.Conv2d(width, 1, 1) for _ in levels)
        for prediction in (*self.cls_preds, *self.obj_preds):
            nn.init.constant_(prediction.bias, -4.595)  # start at probability 0.01: most cells are background

    def forward(self, features: tuple[Tensor, ...]) -> list[Float[Tensor, "B C h w"]]:
        return [self._level(level, x) for level, x in enumerate(features)]

    def _level(self, level: int, x: Tensor) -> Tensor:
        x = self.stems[level](x)
        classes = self.cls_preds[level](self.cls_convs[level](x))
        box = self.reg_convs[level](x)
        return torch.cat([self.reg_preds[level](box), self.obj_preds[level](box), classes], 1)


class YoloxNet(nn.Module):
    """BGR images, 0 to 255, height and width multiples of 32 -> raw predictions per cell, in rising order of stride."""

    def __init__(self, shape: YoloxShape) -> None:
        super().__init__()
        self.shape = shape
        self.backbone, self.head = PAFPN(shape), Head(shape)

    def forward(self, x: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B cells C"]:
        levels = self.head(self.backbone(x))
        return torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)

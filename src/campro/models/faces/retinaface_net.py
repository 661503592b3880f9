"""RetinaFace with a MobileNet of width 0.25: layers under the names of the public PyTorch checkpoint.

Of the two public networks of this kind the file is the one with ReLU and anchors of 10 to 256 pixels
(Face-Detector-1MB): its landmarks are 2 pixels from those of YuNet on LFW; with leaky ReLU and anchors of 16 to 512
pixels they would be 34 pixels away.

Sources: Deng et al., RetinaFace (CVPR 2020); Howard et al., MobileNets (2017); Najibi et al., SSH (ICCV 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 64
"""Channels of the feature pyramid."""
ANCHORS = 2
"""Per cell."""


def _conv(into: int, out: int, kernel: int = 3, stride: int = 1, linear: bool = False) -> nn.Sequential:
    """Convolution, batch norm and, unless `linear`, a ReLU."""
    layers: list[nn.Module] = [nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([] if linear else [nn.ReLU()]))


def _separable(into: int, out: int, stride: int = 1) -> nn.Sequential:
    """Depthwise 3 x 3 and pointwise convolution, each with batch norm and ReLU."""
    depthwise = nn.Conv2d(into, into, 3, stride, 1, groups=into, bias=False)
    pointwise = nn.Conv2d(into, out, 1, bias=False)
    return nn.Sequential(depthwise, nn.BatchNorm2d(into), nn.ReLU(), pointwise, nn.BatchNorm2d(out), nn.ReLU())


class Backbone(nn.Module):
    """Maps of strides 8, 16 and 32 with 64, 128 and 256 channels."""

    def __init__(self) -> None:
        super().__init__()
        first = [_conv(3, 8, stride=2), _separable(8, 16), _separable(16, 32, 2), _separable(32, 32)]
        self.stage1 = nn.Sequential(*first, _separable(32, 64, 2), _separable(64, 64))
        self.stage2 = nn.Sequential(_separable(64, 128, 2), *(_separable(128, 128) for _ in range(5)))
        self.stage3 = nn.Sequential(_separable(128, 256, 2), _separable(256, 256))

    def forward(self, x: Tensor) -> list[Tensor]:
        fine = self.stage1(x)
        middle = self.stage2(fine)
        return [fine, middle, self.stage3(middle)]


class Pyramid(nn.Module):
    """Feature pyramid: each map plus the enlarged coarser one."""

    def __init__(self) -> None:
        super().__init__()
        self.output1, self.output2, self.output3 = (_conv(into, WIDTH, 1) for into in (64, 128, 256))
        self.merge1, self.merge2 = _conv(WIDTH, WIDTH), _conv(WIDTH, WIDTH)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        fine, middle, coarse = self.output1(maps[0]), self.output2(maps[1]), self.output3(maps[2])
        middle = self.merge2(middle + F.interpolate(coarse, size=middle.shape[2:]))
        return [self.merge1(fine + F.interpolate(middle, size=fine.shape[2:])), middle, coarse]


class Context(nn.Module):
    """SSH's context module: convolutions with windows of 3, 5 and 7 pixels, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3X3 = _conv(WIDTH, WIDTH // 2, linear=True)
        self.conv5X5_1 = _conv(WIDTH, WIDTH // 4)
        self.conv5X5_2 = _conv(WIDTH // 4, WIDTH // 4, linear=True)
        self.conv7X7_2 = _conv(WIDTH // 4, WIDTH // 4)
        self.conv7x7_3 = _conv(WIDTH // 4, WIDTH // 4, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.conv5X5_1(x)
        return F.relu(torch.cat([self.conv3X3(x), self.conv5X5_2(wide), self.conv7x7_3(self.conv7X7_2(wide))], 1))


class Head(nn.Module):
    """`values` numbers per anchor."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(WIDTH, ANCHORS * values, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, h, w) -> (h * w * ANCHORS, values)."""
        return self.conv1x1(x).permute(0, 2, 3, 1).reshape(-1, self.values)


class RetinaFaceNet(nn.Module):
    """One picture (1, 3, H, W) -> scores of (no face, face), boxes and points of all anchors, finest map first."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fpn = Backbone(), Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = Context(), Context(), Context()
        self.ClassHead, self.BboxHead, self.LandmarkHead = (
            nn.ModuleList(Head(values) for _ in range(3)) for values in (2, 4, 10)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores (A, 2) in [0, 1]; boxes (A, 4) and points (A, 10) relative to the anchors."""
        maps = self.fpn(self.body(x))
        levels = [ssh(level) for ssh, level in zip((self.ssh1, self.ssh2, self.ssh3), maps)]
        scores, boxes, points = (
            torch.cat([head(level) for head, level in zip(heads, levels)])
            for heads in (self.ClassHead, self.BboxHead, self.LandmarkHead)
        )
        return scores.softmax(1), boxes, points

"""Inception-ResNet-v1: the network of FaceNet; layers under the names of the PyTorch checkpoint (facenet-pytorch).

Sources: Schroff et al., FaceNet (CVPR 2015); Szegedy et al., Inception-v4 (AAAI 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

EPSILON = 1e-3
Size = int | tuple[int, int]


class Conv(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, into: int, out: int, kernel: Size, stride: int = 1, padding: Size = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


def _across(into: int, out: int, length: int) -> list[Conv]:
    """A window of `length` x `length` pixels as one row and one column."""
    half = length // 2
    return [Conv(into, out, (1, length), padding=(0, half)), Conv(out, out, (length, 1), padding=(half, 0))]


class Residual(nn.Module):
    """x plus `scale` times a projection of all branches, ReLU unless it is the last one."""

    def __init__(self, channels: int, branches: list[nn.Module], width: int, scale: float, last: bool = False) -> None:
        super().__init__()
        self.scale, self.last, self.count = scale, last, len(branches)
        for number, branch in enumerate(branches):
            setattr(self, f"branch{number}", branch)
        self.conv2d = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.cat([getattr(self, f"branch{number}")(x) for number in range(self.count)], 1)
        out = x + self.scale * self.conv2d(inner)
        return out if self.last else F.relu(out)


def block35() -> Residual:
    """At 17 x 17 cells, 256 channels."""
    third = nn.Sequential(Conv(256, 32, 1), Conv(32, 32, 3, padding=1), Conv(32, 32, 3, padding=1))
    second = nn.Sequential(Conv(256, 32, 1), Conv(32, 32, 3, padding=1))
    return Residual(256, [Conv(256, 32, 1), second, third], 96, 0.17)


def block17() -> Residual:
    """At 8 x 8 cells, 896 channels."""
    return Residual(896, [Conv(896, 128, 1), nn.Sequential(Conv(896, 128, 1), *_across(128, 128, 7))], 256, 0.10)


def block8(scale: float = 0.20, last: bool = False) -> Residual:
    """At 3 x 3 cells, 1792 channels."""
    second = nn.Sequential(Conv(1792, 192, 1), *_across(192, 192, 3))
    return Residual(1792, [Conv(1792, 192, 1), second], 384, scale, last)


class Reduction(nn.Module):
    """Branches of stride 2 and a maximum pooling, side by side."""

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__()
        self.count = len(branches)
        for number, branch in enumerate(branches):
            setattr(self, f"branch{number}", branch)

    def forward(self, x: Tensor) -> Tensor:
        found = [getattr(self, f"branch{number}")(x) for number in range(self.count)]
        return torch.cat([*found, F.max_pool2d(x, 3, 2)], 1)


class InceptionResnet(FaceEmbedder):
    """The network for crops of 160 x 160 pixels."""

    def __init__(self, card: EmbedderCard) -> None:
        super().__init__(card)
        self.conv2d_1a, self.conv2d_2a = Conv(3, 32, 3, 2), Conv(32, 32, 3)
        self.conv2d_2b = Conv(32, 64, 3, padding=1)
        self.conv2d_3b, self.conv2d_4a, self.conv2d_4b = Conv(64, 80, 1), Conv(80, 192, 3), Conv(192, 256, 3, 2)
        self.repeat_1 = nn.Sequential(*(block35() for _ in range(5)))
        deep = nn.Sequential(Conv(256, 192, 1), Conv(192, 192, 3, padding=1), Conv(192, 256, 3, 2))
        self.mixed_6a = Reduction([Conv(256, 384, 3, 2), deep])
        self.repeat_2 = nn.Sequential(*(block17() for _ in range(10)))
        sides = [nn.Sequential(Conv(896, 256, 1), Conv(256, out, 3, 2)) for out in (384, 256)]
        deep = nn.Sequential(Conv(896, 256, 1), Conv(256, 256, 3, padding=1), Conv(256, 256, 3, 2))
        self.mixed_7a = Reduction([*sides, deep])
        self.repeat_3 = nn.Sequential(*(block8() for _ in range(5)))
        self.block8 = block8(1.0, last=True)
        self.last_linear = nn.Linear(1792, card.dim, bias=False)
        self.last_bn = nn.BatchNorm1d(card.dim, EPSILON)

    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, 160, 160) -> (B, dim)."""
        x = F.max_pool2d(self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(prepared))), 3, 2)
        x = self.repeat_1(self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(x))))
        x = self.repeat_3(self.mixed_7a(self.repeat_2(self.mixed_6a(x))))
        return self.last_bn(self.last_linear(self.block8(x).mean((2, 3))))

"""MobileFaceNet: a small and accurate face embedder with fast gradients.

Source: Chen et al., MobileFaceNets (CCBR 2018). Modules have the names that the public PyTorch checkpoints use, so
that those load without renaming.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from campro.core.hashing import file_sha256
from campro.models.faces.checkpoint import load_into, read_checkpoint
from campro.models.faces.depthwise import depthwise
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

# (expansion, output channels, repetitions, stride of the first repetition)
BOTTLENECKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))

CARD = EmbedderCard(
    name="mobilefacenet",
    size=(112, 96),
    dim=128,
    mean=127.5 / 255,
    std=128 / 255,
    template="arcface-112x96",
    licence="not stated",
    source="MobileFaceNet 0.99 M, ArcFace on CASIA-WebFace",
)


class ConvUnit(nn.Module):
    """Convolution, batch norm and, unless `linear`, a PReLU."""

    def __init__(
        self,
        into: int,
        out: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(out)
        self.prelu = nn.Identity() if linear else nn.PReLU(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.prelu(self.bn(self.conv(x)))


class Depthwise(nn.Conv2d):
    """Depthwise convolution: one filter per channel."""

    def forward(self, x: Tensor) -> Tensor:
        return depthwise(x, self.weight, self.bias, self.stride, self.padding, self.dilation)


class Bottleneck(nn.Module):
    """Inverted residual: 1x1 expansion, depthwise 3x3, 1x1 projection; with a shortcut if the shapes agree."""

    def __init__(self, into: int, out: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = into * expansion
        self.shortcut = stride == 1 and into == out
        self.conv = nn.Sequential(
            nn.Conv2d(into, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.PReLU(wide),
            Depthwise(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.PReLU(wide),
            nn.Conv2d(wide, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileFaceNet(FaceEmbedder):
    """The network for crops of `card.size` (multiples of 16) and embeddings of length `card.dim`."""

    def __init__(self, card: EmbedderCard = CARD) -> None:
        super().__init__(card)
        self.conv1 = ConvUnit(3, 64, 3, stride=2, padding=1)
        self.dw_conv1 = ConvUnit(64, 64, 3, padding=1, groups=64)
        self.blocks = nn.Sequential(*_bottlenecks(64))
        self.conv2 = ConvUnit(128, 512, 1)
        last = (card.size[0] // 16, card.size[1] // 16)
        self.linear7 = ConvUnit(512, 512, last, groups=512, linear=True)
        self.linear1 = ConvUnit(512, card.dim, 1, linear=True)

    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, dim)."""
        maps = self.conv2(self.blocks(self.dw_conv1(self.conv1(prepared))))
        return self.linear1(self.linear7(maps)).flatten(1)


def _bottlenecks(channels: int) -> list[Bottleneck]:
    blocks = []
    for expansion, out, repeats, stride in BOTTLENECKS:
        for first in (stride, *(1 for _ in range(repeats - 1))):
            blocks.append(Bottleneck(channels, out, first, expansion))
            channels = out
    return blocks


def load_mobilefacenet(weights: Path | None) -> MobileFaceNet:
    """The network in evaluation mode with the weights of a checkpoint file, or random weights if None.

    Raises:
        CamproError: if the file is damaged or holds another network.
    """
    if weights is None:
        return MobileFaceNet().eval()
    model = MobileFaceNet(replace(CARD, weights_sha256=file_sha256(weights)))
    load_into(model, read_checkpoint(weights), weights)
    return model.eval()

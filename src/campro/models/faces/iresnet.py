"""IResNet: the residual network of ArcFace and MagFace; layers under the names of their public checkpoints.

Sources: Deng et al., ArcFace (CVPR 2019); Meng et al., MagFace (CVPR 2021); Duta et al., Improved Residual Networks
(ICPR 2020).
"""

from __future__ import annotations

from torch import Tensor, nn

from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks of the four stages."""
CHANNELS = (64, 128, 256, 512)
EPSILON = 1e-5


class Block(nn.Module):
    """Batch norm, convolution, batch norm, PReLU, convolution with the stride, batch norm; plus the shortcut."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(into, EPSILON)
        self.conv1 = nn.Conv2d(into, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out, EPSILON)
        self.prelu = nn.PReLU(out)
        self.conv2 = nn.Conv2d(out, out, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out, EPSILON)
        changes = stride != 1 or into != out
        self.downsample = (
            nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out, EPSILON))
            if changes
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return inner + (x if self.downsample is None else self.downsample(x))


class IResNet(FaceEmbedder):
    """The network of one depth for crops of 112 x 112 pixels."""

    def __init__(self, card: EmbedderCard, depth: int) -> None:
        super().__init__(card)
        self.conv1 = nn.Conv2d(3, CHANNELS[0], 3, 1, 1, bias=False)
        self.bn1, self.prelu = nn.BatchNorm2d(CHANNELS[0], EPSILON), nn.PReLU(CHANNELS[0])
        into = CHANNELS[0]
        for number, (out, blocks) in enumerate(zip(CHANNELS, DEPTHS[depth]), start=1):
            stage = [Block(into if first else out, out, 2 if first else 1) for first in (True, *[False] * (blocks - 1))]
            setattr(self, f"layer{number}", nn.Sequential(*stage))
            into = out
        self.bn2 = nn.BatchNorm2d(CHANNELS[-1], EPSILON)
        sides = (card.size[0] // 16) * (card.size[1] // 16)
        self.fc = nn.Linear(CHANNELS[-1] * sides, card.dim)
        self.features_norm = nn.BatchNorm1d(card.dim, EPSILON)
        """Called `features` in the files."""

    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, 112, 112) -> (B, dim)."""
        x = self.prelu(self.bn1(self.conv1(prepared)))
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return self.features_norm(self.fc(self.bn2(x).flatten(1)))


def renamed_iresnet(name: str) -> str:
    """Name of a layer in this project for its name in a file of ArcFace or MagFace.

    >>> renamed_iresnet("features.module.layer1.0.bn1.weight"), renamed_iresnet("features.weight")
    ('layer1.0.bn1.weight', 'features_norm.weight')
    """
    plain = name.removeprefix("features.module.")
    return "features_norm." + plain.removeprefix("features.") if plain.startswith("features.") else plain

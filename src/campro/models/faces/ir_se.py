"""IR and IR-SE: the residual networks of AdaFace, and of ArcFace with squeeze and excitation; names as in their files.

Sources: Kim et al., AdaFace (CVPR 2022); Deng et al., ArcFace (CVPR 2019); Hu et al.,
Squeeze-and-Excitation (CVPR 2018).
"""

from __future__ import annotations

from torch import Tensor, nn

from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

STAGES = {18: (2, 2, 2, 2), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 152: (3, 8, 36, 3)}
"""Units of the four stages."""
CHANNELS = (64, 128, 256, 512)
REDUCTION = 16
"""Of channels in squeeze and excitation."""


class SqueezeExcitation(nn.Module):
    """Scales each channel by a factor in [0, 1] that depends on the means of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // REDUCTION, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // REDUCTION, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc2(self.fc1(x.mean((2, 3), keepdim=True)).relu()).sigmoid()


class Unit(nn.Module):
    """A residual unit: AdaFace has a batch norm behind the first convolution, ArcFace here an SE module at the end."""

    def __init__(self, into: int, out: int, stride: int, excited: bool) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if into != out:
            self.shortcut_layer = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        first, second = nn.Conv2d(into, out, 3, 1, 1, bias=False), nn.Conv2d(out, out, 3, stride, 1, bias=False)
        between: list[nn.Module] = [] if excited else [nn.BatchNorm2d(out)]
        last: list[nn.Module] = [SqueezeExcitation(out)] if excited else []
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(into), first, *between, nn.PReLU(out), second, nn.BatchNorm2d(out), *last
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.res_layer(x) + self.shortcut_layer(x)


class IrNetwork(FaceEmbedder):
    """The network of one depth for crops of 112 x 112 pixels; `excited` adds squeeze and excitation."""

    def __init__(self, card: EmbedderCard, depth: int, excited: bool) -> None:
        super().__init__(card)
        conv = nn.Conv2d(3, CHANNELS[0], 3, 1, 1, bias=False)
        self.input_layer = nn.Sequential(conv, nn.BatchNorm2d(CHANNELS[0]), nn.PReLU(CHANNELS[0]))
        units, into = [], CHANNELS[0]
        for out, count in zip(CHANNELS, STAGES[depth]):
            units += [Unit(into if n == 0 else out, out, 2 if n == 0 else 1, excited) for n in range(count)]
            into = out
        self.body = nn.Sequential(*units)
        sides = (card.size[0] // 16) * (card.size[1] // 16)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(into),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(into * sides, card.dim),
            nn.BatchNorm1d(card.dim, affine=excited),
        )

    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, 112, 112) -> (B, dim)."""
        return self.output_layer(self.body(self.input_layer(prepared)))


def renamed_ir(name: str) -> str:
    """Name of a layer in this project for its name in a file of AdaFace or ArcFace.

    >>> renamed_ir("model.body.0.res_layer.0.weight")
    'body.0.res_layer.0.weight'
    """
    return name.removeprefix("model.")

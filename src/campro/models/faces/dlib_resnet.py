"""dlib's face recogniser as a differentiable torch module; its weights ship with a package and are public domain.

Source: dlib `dlib_face_recognition_resnet_model_v1` (Davis King, CC0); a ResNet of 29 convolutions whose batch norms
are folded into affine layers. Agreement with dlib itself is tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.models.faces.dlib_format import DlibLayer, DlibNet, read_dlib_net
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

# (channels, halves the picture) of each residual block, from the input on
BLOCKS = (
    *((32, False),) * 3,
    *((64, True), *((64, False),) * 3),
    *((128, True), *((128, False),) * 2),
    *((256, True), *((256, False),) * 2),
    (256, True),
)
MEAN = (122.782, 117.001, 104.298)

CARD = EmbedderCard(
    name="dlib-resnet29",
    size=(150, 150),
    dim=128,
    mean=(MEAN[0] / 255, MEAN[1] / 255, MEAN[2] / 255),
    std=256 / 255,
    template="dlib-150",
    licence="CC0-1.0",
    source="dlib_face_recognition_resnet_model_v1 (Davis King)",
)


class ConvAffine(nn.Module):
    """Convolution, then a scale and shift per channel (a batch norm at rest).

    dlib pads by half the kernel where the stride is 1 and not at all where it is 2.
    """

    def __init__(self, into: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, kernel, stride, kernel // 2 if stride == 1 else 0)
        self.gamma = nn.Parameter(torch.ones(out, 1, 1))
        self.beta = nn.Parameter(torch.zeros(out, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * self.gamma + self.beta


class Residual(nn.Module):
    """Two convolutions and a shortcut, average-pooled where the block halves the picture."""

    def __init__(self, into: int, out: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.first = ConvAffine(into, out, 3, 2 if halves else 1)
        self.second = ConvAffine(out, out, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = F.avg_pool2d(x, 2) if self.halves else x
        return F.relu(_padded_sum(shortcut, self.second(F.relu(self.first(x)))))


def _padded_sum(a: Tensor, b: Tensor) -> Tensor:
    """Add maps (B, C, H, W) of different sizes, both padded with zeros at the far ends (dlib's add_prev)."""
    channels, height, width = (max(pair) for pair in zip(a.shape[1:], b.shape[1:]))
    a, b = (F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1])) for x in (a, b))
    return a + b


class DlibResNet(FaceEmbedder):
    """The 29-layer network; `features` are the 128 numbers that dlib hands out, which are not of unit length."""

    def __init__(self, card: EmbedderCard = CARD) -> None:
        super().__init__(card)
        self.stem = ConvAffine(3, 32, 7, 2)
        widths = [32, *(out for out, _ in BLOCKS)]
        self.blocks = nn.Sequential(*(Residual(into, out, halves) for into, (out, halves) in zip(widths, BLOCKS)))
        self.head = nn.Linear(256, card.dim, bias=False)

    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, 150, 150) to (B, 128)."""
        maps = self.blocks(F.max_pool2d(F.relu(self.stem(prepared)), 3, 2))
        return self.head(maps.mean((2, 3)))

    @torch.no_grad()
    def load_dlib(self, net: DlibNet, who: str) -> None:
        """Take dlib's weights; the file must hold this very architecture."""
        if not np.allclose(net.mean, MEAN, atol=1e-3) or net.size != self.card.size:
            raise _another(who, f"input {self.card.size} with mean {MEAN}", f"{net.size} with {net.mean}")
        layers = iter(net.layers)
        _fill(self.stem, layers, who)
        _expect(layers, "relu_", (), who)
        _expect(layers, "max_pool_2", (3, 3, 2, 2, 0, 0), who)
        for block in self.blocks:
            assert isinstance(block, Residual)  # for the type checker
            _fill(block.first, layers, who)
            _expect(layers, "relu_", (), who)
            _fill(block.second, layers, who)
            if block.halves:
                _expect(layers, "avg_pool_2", (2, 2, 2, 2, 0, 0), who)
            _expect(layers, "add_prev_", (), who)
            _expect(layers, "relu_", (), who)
        _expect(layers, "avg_pool_2", (0, 0, 1, 1, 0, 0), who)  # zero: the whole map
        head = _expect(layers, "fc_2", (128, 256), who)
        self.head.weight.copy_(torch.tensor(head.params).view(256, 128).T)
        if next(layers, None) is not None:
            raise _another(who, "no layer after the last", "more layers")


def _fill(unit: ConvAffine, layers: Iterator[DlibLayer], who: str) -> None:
    conv = unit.conv
    shape = (conv.out_channels, *conv.kernel_size, *conv.stride, *map(int, conv.padding))
    weights = torch.tensor(_expect(layers, "con_4", shape, who).params)
    affine = torch.tensor(_expect(layers, "affine_", (), who).params)
    if len(weights) != conv.weight.numel() + conv.out_channels or len(affine) != 2 * conv.out_channels:
        wanted = f"{conv.weight.numel()} filter weights over {conv.out_channels} channels"
        raise _another(who, wanted, f"{len(weights)} and {len(affine)} numbers")
    filters, biases = weights.tensor_split([conv.weight.numel()])
    gamma, beta = affine.view(2, -1, 1, 1)
    unit.load_state_dict(
        {"conv.weight": filters.view_as(conv.weight), "conv.bias": biases, "gamma": gamma, "beta": beta}
    )


def _expect(layers: Iterator[DlibLayer], kind: str, numbers: tuple[int, ...], who: str) -> DlibLayer:
    layer = next(layers, None)
    if layer is None or (layer.kind, layer.numbers) != (kind, numbers):
        got = "the end" if layer is None else f"{layer.kind} {layer.numbers}"
        raise _another(who, f"layer {kind} {numbers}", got)
    return layer


def _another(who: str, wanted: str, got: str) -> CamproError:
    return CamproError(who, wanted, got, "only dlib_face_recognition_resnet_model_v1.dat fits this network")


def load_dlib_resnet(weights: Path | None) -> DlibResNet:
    """The network with the weights of a dlib file, or random ones."""
    if weights is None:
        return DlibResNet().eval()
    net = read_dlib_net(weights)
    model = DlibResNet(replace(CARD, weights_sha256=file_sha256(weights)))
    model.load_dlib(net, str(weights))
    return model.eval()

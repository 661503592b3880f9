"""dlib's face embedder as a differentiable torch module; a Python package contains its weights (public domain).

Source: dlib `dlib_face_recognition_resnet_model_v1` (Davis King, CC0); a ResNet of 29 convolutions whose batch norms
are folded into affine layers. A test compares it with dlib.
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

# (channels, whether the block halves height and width) of each residual block, in order
BLOCKS = (
    *((32, False),) * 3,
    *((64, True), *((64, False),) * 3),
    *((128, True), *((128, False),) * 2),
    *((256, True), *((256, False),) * 2),
    (256, True),
)
MEAN = (122.782, 117.001, 104.298)
"""Red, green and blue, 0 to 255, that dlib subtracts."""

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
    """Convolution, then a scale and shift per channel (a folded batch norm).

    dlib pads by half the kernel if the stride is 1, and does not pad if it is 2.
    """

    def __init__(self, into: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, kernel, stride, kernel // 2 if stride == 1 else 0)
        self.gamma = nn.Parameter(torch.ones(out, 1, 1))
        self.beta = nn.Parameter(torch.zeros(out, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * self.gamma + self.beta


class Residual(nn.Module):
    """Two convolutions and a shortcut, which is average-pooled if the block halves height and width."""

    def __init__(self, into: int, out: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.first = ConvAffine(into, out, 3, 2 if halves else 1)
        self.second = ConvAffine(out, out, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = F.avg_pool2d(x, 2) if self.halves else x
        return F.relu(_padded_sum(shortcut, self.second(F.relu(self.first(x)))))


def _padded_sum(a: Tensor, b: Tensor) -> Tensor:
    """Sum of maps (B, C, H, W) of different sizes, padded with zeros at the end of each axis (dlib's add_prev)."""
    channels, height, width = (max(pair) for pair in zip(a.shape[1:], b.shape[1:]))
    a, b = (F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1])) for x in (a, b))
    return a + b


class DlibResNet(FaceEmbedder):
    """The network of 29 convolutions; `features` equal dlib's descriptors, whose norm is not 1."""

    def __init__(self, card: EmbedderCard = CARD) -> None:
        super().__init__(card)
        self.stem = ConvAffine(3, 32, 7, 2)
        widths = [32, *(out for out, _ in BLOCKS)]
        self.blocks = nn.Sequential(*(Residual(into, out, halves) for into, (out, halves) in zip(widths, BLOCKS)))
        self.head = nn.Linear(256, card.dim, bias=False)

    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, 150, 150) -> (B, 128)."""
        maps = self.blocks(F.max_pool2d(F.relu(self.stem(prepared)), 3, 2))
        return self.head(maps.mean((2, 3)))

    @torch.no_grad()
    def load_dlib(self, net: DlibNet, name: str) -> None:
        """Load dlib's weights; `name` is the file they come from, for messages.

        Raises:
            CamproError: if the file holds another architecture.
        """
        if not np.allclose(net.mean, MEAN, atol=1e-3) or net.size != self.card.size:
            raise _mismatch(name, f"input {self.card.size} with mean {MEAN}", f"{net.size} with {net.mean}")
        layers = iter(net.layers)
        _fill(self.stem, layers, name)
        _expect(layers, "relu_", (), name)
        _expect(layers, "max_pool_2", (3, 3, 2, 2, 0, 0), name)
        for block in self.blocks:
            assert isinstance(block, Residual)  # for the type checker
            _fill(block.first, layers, name)
            _expect(layers, "relu_", (), name)
            _fill(block.second, layers, name)
            if block.halves:
                _expect(layers, "avg_pool_2", (2, 2, 2, 2, 0, 0), name)
            _expect(layers, "add_prev_", (), name)
            _expect(layers, "relu_", (), name)
        _expect(layers, "avg_pool_2", (0, 0, 1, 1, 0, 0), name)  # zero: the whole map
        head = _expect(layers, "fc_2", (128, 256), name)
        self.head.weight.copy_(torch.tensor(head.params).view(256, 128).T)
        if next(layers, None) is not None:
            raise _mismatch(name, "no layer after the last", "more layers")


def _fill(unit: ConvAffine, layers: Iterator[DlibLayer], name: str) -> None:
    conv = unit.conv
    shape = (conv.out_channels, *conv.kernel_size, *conv.stride, *map(int, conv.padding))
    weights = torch.tensor(_expect(layers, "con_4", shape, name).params)
    affine = torch.tensor(_expect(layers, "affine_", (), name).params)
    if len(weights) != conv.weight.numel() + conv.out_channels or len(affine) != 2 * conv.out_channels:
        expected = f"{conv.weight.numel()} filter weights over {conv.out_channels} channels"
        raise _mismatch(name, expected, f"{len(weights)} and {len(affine)} numbers")
    filters, biases = weights.tensor_split([conv.weight.numel()])
    gamma, beta = affine.view(2, -1, 1, 1)
    unit.load_state_dict(
        {"conv.weight": filters.view_as(conv.weight), "conv.bias": biases, "gamma": gamma, "beta": beta}
    )


def _expect(layers: Iterator[DlibLayer], kind: str, numbers: tuple[int, ...], name: str) -> DlibLayer:
    layer = next(layers, None)
    if layer is None or (layer.kind, layer.numbers) != (kind, numbers):
        got = "the end" if layer is None else f"{layer.kind} {layer.numbers}"
        raise _mismatch(name, f"layer {kind} {numbers}", got)
    return layer


def _mismatch(name: str, expected: str, got: str) -> CamproError:
    return CamproError(name, expected, got, "only dlib_face_recognition_resnet_model_v1.dat fits this network")


def load_dlib_resnet(weights: Path | None) -> DlibResNet:
    """The network in evaluation mode with the weights of a dlib file, or random weights if None.

    Raises:
        CamproError: if the file is damaged or holds another network.
    """
    if weights is None:
        return DlibResNet().eval()
    net = read_dlib_net(weights)
    model = DlibResNet(replace(CARD, weights_sha256=file_sha256(weights)))
    model.load_dlib(net, str(weights))
    return model.eval()

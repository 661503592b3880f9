"""A strict parser of dlib's serialised networks, for the layers of its face recognition network; dlib is not used.

Integers: one control byte (bit 7 sign, low 4 bits the number of bytes), then the magnitude, little-endian. Floats:
mantissa and binary exponent, both such integers. Strings: length, bytes. Tensors: version 2, four dimensions, float32
little-endian. A network: its loss, one version number per nested layer, the input layer, then the layers from the
input to the output, each followed by three flags and three (empty) tensors of its state.
Source: dlib 19 `serialize.h`, `dnn/tensor.h`, `dnn/core.h`, `dnn/layers.h`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from campro.core.errors import CamproError

MAX_DEPTH = 1000
"""Largest number of nested layers."""
TENSOR_VERSION, ALIAS_VERSION, INNERMOST_VERSION = 2, 1, 3
FLAGS = (0x30, 0x31)  # "0" and "1"
REMEDY = "the file is damaged, or holds another network"


@dataclass(frozen=True)
class DlibLayer:
    """One layer: its kind, its integers in dlib's order, and its parameters (none for layers such as ReLU).

    Integers: con_4 filters, height, width, stride y and x, padding y and x; max_pool_2 and avg_pool_2 height, width,
    stride y and x, padding y and x; fc_2 outputs, inputs; affine_ and others none.
    """

    kind: str
    numbers: tuple[int, ...]
    params: Float32[np.ndarray, "n"]


@dataclass(frozen=True)
class DlibNet:
    """Mean red, green and blue (0 to 255) and height and width of the input; the layers from input to output."""

    mean: tuple[float, float, float]
    size: tuple[int, int]
    layers: tuple[DlibLayer, ...]


def read_dlib_net(path: Path) -> DlibNet:
    """Read a metric network such as dlib_face_recognition_resnet_model_v1.dat.

    Raises:
        CamproError: if the file cannot be read, is damaged, or holds another kind of network.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CamproError(str(path), "a readable dlib network", str(error)) from error
    return parse_dlib_net(data, str(path))


def parse_dlib_net(data: bytes, name: str = "dlib network") -> DlibNet:
    """Parse all bytes of a serialised network; `name` is used in messages.

    Raises:
        CamproError: if a value is not as the format requires.
    """
    stream = _Stream(data, name)
    stream.expect(1, "version of the loss")
    stream.expect("loss_metric_2", "loss")
    stream.number(), stream.number()  # margin and distance threshold: training only
    _skip_versions(stream)
    stream.expect("input_rgb_image_sized", "input layer")
    mean = (stream.number(), stream.number(), stream.number())
    size = (stream.natural(), stream.natural())
    layers = [_layer(stream)]
    stream.expect(1, "sample expansion factor")
    while not stream.done:
        layers.append(_layer(stream))
    return DlibNet(mean, size, tuple(layers))


def _skip_versions(stream: _Stream) -> None:
    """One version number per nested layer, tag and skip; the layer next to the input has another one."""
    for _ in range(MAX_DEPTH):
        version = stream.natural()
        if version == INNERMOST_VERSION:
            return
        if version not in (1, 2):
            raise stream.wrong("layer version 1, 2 or 3", str(version))
    raise stream.wrong(f"at most {MAX_DEPTH} layers", "more")


def _layer(stream: _Stream) -> DlibLayer:
    kind = stream.text()
    if kind not in _READERS:
        raise stream.wrong(f"a layer of kind {', '.join(_READERS)}", repr(kind))
    numbers, params = _READERS[kind](stream)
    stream.flags(3)
    for _ in range(3):
        if stream.tensor().size:
            raise stream.wrong("an empty state tensor", "a filled one")
    return DlibLayer(kind, numbers, params)


_Parts = tuple[tuple[int, ...], np.ndarray]


def _convolution(stream: _Stream) -> _Parts:
    params = stream.tensor()
    numbers = stream.naturals(7)
    filters, biases = stream.alias(), stream.alias()
    if params.size != math.prod(filters) + math.prod(biases) or filters[0] != numbers[0]:
        raise stream.wrong(f"{params.size} convolution weights", f"{filters} and {biases}")
    stream.multipliers()
    return numbers, params


def _affine(stream: _Stream) -> _Parts:
    params = stream.tensor()
    gamma, beta = stream.alias(), stream.alias()
    if params.size != math.prod(gamma) + math.prod(beta):
        raise stream.wrong(f"{params.size} affine weights", f"{gamma} and {beta}")
    stream.expect(0, "affine mode (per channel)")
    return (), params


def _linear(stream: _Stream) -> _Parts:
    numbers = stream.naturals(2)
    params = stream.tensor()
    weights = stream.alias()
    stream.alias()
    if params.size != math.prod(weights) or params.size != math.prod(numbers):
        raise stream.wrong(f"{numbers} weights", f"{params.size}")
    stream.expect(1, "fully connected layer without bias")
    stream.multipliers()
    return numbers, params


def _pooling(stream: _Stream) -> _Parts:
    return stream.naturals(6), np.empty(0, np.float32)


def _plain(stream: _Stream) -> _Parts:
    return (), np.empty(0, np.float32)


_READERS = {
    "con_4": _convolution,
    "affine_": _affine,
    "fc_2": _linear,
    "max_pool_2": _pooling,
    "avg_pool_2": _pooling,
    "relu_": _plain,
    "add_prev_": _plain,
}


class _Stream:
    """Reads values from bytes in order; checks that there are enough bytes left."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._at, self._name = memoryview(data), 0, name

    @property
    def done(self) -> bool:
        return self._at == len(self._data)

    def wrong(self, expected: str, got: str) -> CamproError:
        return CamproError(self._name, f"{expected} before byte {self._at}", got, REMEDY)

    def take(self, count: int) -> memoryview:
        if count > len(self._data) - self._at:
            raise self.wrong(f"{count} more bytes", f"{len(self._data) - self._at}")
        self._at += count
        return self._data[self._at - count : self._at]

    def integer(self) -> int:
        control = self.take(1)[0]
        width = control & 0x0F
        if control & 0x70 or not 1 <= width <= 8:
            raise self.wrong("an integer of 1 to 8 bytes", f"control byte {control:#04x}")
        magnitude = int.from_bytes(self.take(width), "little")
        return -magnitude if control & 0x80 else magnitude

    def natural(self) -> int:
        value = self.integer()
        if value < 0:
            raise self.wrong("a number of 0 or above", str(value))
        return value

    def naturals(self, count: int) -> tuple[int, ...]:
        return tuple(self.natural() for _ in range(count))

    def number(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > 512:  # dlib encodes infinity and NaN by large exponents
            raise self.wrong("a finite number", f"exponent {exponent}")
        return math.ldexp(mantissa, exponent)

    def text(self) -> str:
        return bytes(self.take(self.natural())).decode("ascii", "replace")[:40]

    def tensor(self) -> Float32[np.ndarray, "n"]:
        self.expect(TENSOR_VERSION, "tensor version")
        values = np.frombuffer(self.take(4 * math.prod(self.naturals(4))), "<f4")
        if not np.isfinite(values).all():
            raise self.wrong("finite weights", "NaN or infinity")
        return values

    def alias(self) -> tuple[int, ...]:
        self.expect(ALIAS_VERSION, "view version")
        return self.naturals(4)

    def multipliers(self) -> None:
        for _ in range(4):  # learning rate and weight decay of weights and biases: training only
            self.number()

    def flags(self, count: int) -> None:
        if any(flag not in FLAGS for flag in self.take(count)):
            raise self.wrong(f"{count} flags 0 or 1", "other bytes")

    def expect(self, expected: int | str, what: str) -> None:
        got = self.text() if isinstance(expected, str) else self.integer()
        if got != expected:
            raise self.wrong(f"{what} {expected}", str(got))

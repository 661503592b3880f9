"""Read dlib's serialised networks without dlib: a strict parser of the layers that its face recogniser is made of.

The file is a stream. Integers: one control byte (bit 7 sign, low 4 bits the number of bytes), then the magnitude,
little-endian. Floats: mantissa and binary exponent, both such integers. Strings: length, bytes. Tensors: version 2,
four dimensions, float32 little-endian. A network: its loss, one version number per nested layer, the input layer, then
the layers from the input to the output, each followed by three flags and three (empty) tensors of its state.
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
TENSOR_VERSION, ALIAS_VERSION, INNERMOST_VERSION = 2, 1, 3
FLAGS = (0x30, 0x31)  # "0" and "1"


@dataclass(frozen=True)
class DlibLayer:
    """One layer: its kind, its integers in dlib's order, and its parameters (none for ReLU and the like).

    Integers: con_4 filters, height, width, stride y and x, padding y and x; max_pool_2 and avg_pool_2 height, width,
    stride y and x, padding y and x; fc_2 outputs, inputs; affine_ and others none.
    """

    kind: str
    numbers: tuple[int, ...]
    params: Float32[np.ndarray, "n"]


@dataclass(frozen=True)
class DlibNet:
    """The input's mean red, green and blue (0..255), its height and width, and the layers from input to output."""

    mean: tuple[float, float, float]
    size: tuple[int, int]
    layers: tuple[DlibLayer, ...]


def read_dlib_net(path: Path) -> DlibNet:
    """Parse a metric network such as dlib_face_recognition_resnet_model_v1.dat."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CamproError(str(path), "a readable dlib network", str(error)) from error
    return parse_dlib_net(data, str(path))


def parse_dlib_net(data: bytes, who: str = "dlib network") -> DlibNet:
    """Parse bytes to the last one; anything unexpected is a CamproError."""
    stream = _Stream(data, who)
    stream.expect(1, "version of the loss")
    stream.expect("loss_metric_2", "loss")
    stream.number(), stream.number()  # margin and distance threshold: training only
    _skip_versions(stream)
    stream.expect("input_rgb_image_sized", "input layer")
    mean = (stream.number(), stream.number(), stream.number())
    size = (stream.whole(), stream.whole())
    layers = [_layer(stream)]
    stream.expect(1, "sample expansion factor")
    while not stream.done:
        layers.append(_layer(stream))
    return DlibNet(mean, size, tuple(layers))


def _skip_versions(stream: _Stream) -> None:
    """One version per nested layer, tag and skip; the innermost layer, which stands on the input, has its own."""
    for _ in range(MAX_DEPTH):
        version = stream.whole()
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
    numbers = stream.wholes(7)
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
    numbers = stream.wholes(2)
    params = stream.tensor()
    weights = stream.alias()
    stream.alias()
    if params.size != math.prod(weights) or params.size != math.prod(numbers):
        raise stream.wrong(f"{numbers} weights", f"{params.size}")
    stream.expect(1, "fully connected layer without bias")
    stream.multipliers()
    return numbers, params


def _pooling(stream: _Stream) -> _Parts:
    return stream.wholes(6), np.empty(0, np.float32)


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
    """A cursor over the bytes that refuses to read past their end."""

    def __init__(self, data: bytes, who: str) -> None:
        self._data, self._at, self._who = memoryview(data), 0, who

    @property
    def done(self) -> bool:
        return self._at == len(self._data)

    def wrong(self, wanted: str, got: str) -> CamproError:
        return CamproError(self._who, f"{wanted} before byte {self._at}", got, "the file is damaged or another one")

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

    def whole(self) -> int:
        value = self.integer()
        if value < 0:
            raise self.wrong("a number of 0 or above", str(value))
        return value

    def wholes(self, count: int) -> tuple[int, ...]:
        return tuple(self.whole() for _ in range(count))

    def number(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > 512:  # dlib marks infinity and NaN by huge exponents
            raise self.wrong("a finite number", f"exponent {exponent}")
        return math.ldexp(mantissa, exponent)

    def text(self) -> str:
        return bytes(self.take(self.whole())).decode("ascii", "replace")[:40]

    def tensor(self) -> Float32[np.ndarray, "n"]:
        self.expect(TENSOR_VERSION, "tensor version")
        values = np.frombuffer(self.take(4 * math.prod(self.wholes(4))), "<f4")
        if not np.isfinite(values).all():
            raise self.wrong("finite weights", "NaN or infinity")
        return values

    def alias(self) -> tuple[int, ...]:
        self.expect(ALIAS_VERSION, "view version")
        return self.wholes(4)

    def multipliers(self) -> None:
        for _ in range(4):  # learning rate and weight decay of weights and biases: training only
            self.number()

    def flags(self, count: int) -> None:
        if any(flag not in FLAGS for flag in self.take(count)):
            raise self.wrong(f"{count} flags 0 or 1", "other bytes")

    def expect(self, wanted: int | str, what: str) -> None:
        got = self.text() if isinstance(wanted, str) else self.integer()
        if got != wanted:
            raise self.wrong(f"{what} {wanted}", str(got))

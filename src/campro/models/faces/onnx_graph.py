"""An ONNX network of common layers as a torch module, so that it has gradients: attacks can then train against it.

Only networks all of whose operators are in `OPERATORS` can be read; the others run in ONNX Runtime, without gradients.
Source of the operators: the ONNX specification, operator sets 7 to 21 (https://onnx.ai/onnx/operators).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.models.faces.depthwise import depthwise

Attributes = Mapping[str, Any]


def _padded(x: Tensor, attributes: Attributes) -> tuple[Tensor, tuple[int, int]]:
    """The input and the symmetric padding that the layer adds; other padding is added here."""
    pads = list(attributes.get("pads", [0, 0, 0, 0]))
    if attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID") or len(pads) != 4:
        raise ValueError("automatic padding")
    if pads[:2] == pads[2:]:
        return x, (pads[0], pads[1])
    return F.pad(x, (pads[1], pads[3], pads[0], pads[2])), (0, 0)


def _conv(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    padded, padding = _padded(x, attributes)
    stride, dilation = (tuple(attributes.get(name, (1, 1))) for name in ("strides", "dilations"))
    groups = attributes.get("group", 1)
    if groups == len(weight) == padded.shape[1]:
        return depthwise(padded, weight, bias, stride, padding, dilation)
    return F.conv2d(padded, weight, bias, stride, padding, dilation, groups)


def _batch_norm(attributes: Attributes, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    """With the statistics of the file, also in training."""
    return F.batch_norm(x, mean, var, scale, bias, training=False, eps=attributes.get("epsilon", 1e-5))


def _prelu(_attributes: Attributes, x: Tensor, slope: Tensor) -> Tensor:
    if slope.numel() in (1, x.shape[1]) and slope.shape[-2:].numel() == 1:
        return F.prelu(x, slope.flatten())  # one slope, or one per channel
    return torch.where(x >= 0, x, x * slope)


def _gemm(attributes: Attributes, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    a, b = (x.T if attributes.get(name) else x for x, name in ((a, "transA"), (b, "transB")))
    product = attributes.get("alpha", 1.0) * (a @ b)
    return product if c is None else product + attributes.get("beta", 1.0) * c


def _average_pool(attributes: Attributes, x: Tensor) -> Tensor:
    if attributes.get("ceil_mode"):
        raise ValueError("pooling that rounds up")
    pads, stride = attributes.get("pads", [0] * 4), attributes.get("strides", [1, 1])
    if pads[:2] != pads[2:]:
        raise ValueError("pooling with uneven padding")
    return F.avg_pool2d(
        x, attributes["kernel_shape"], stride, pads[:2], count_include_pad=bool(attributes.get("count_include_pad"))
    )


def _max_pool(attributes: Attributes, x: Tensor) -> Tensor:
    if attributes.get("ceil_mode"):
        raise ValueError("pooling that rounds up")
    pads, stride = attributes.get("pads", [0] * 4), attributes.get("strides", [1, 1])
    padded = F.pad(x, (pads[1], pads[3], pads[0], pads[2]), value=-torch.inf) if any(pads) else x
    return F.max_pool2d(padded, attributes["kernel_shape"], stride)


def _flatten(attributes: Attributes, x: Tensor) -> Tensor:
    if attributes.get("axis", 1) != 1:
        raise ValueError("flattening of another axis")
    return x.flatten(1)


def _reshape(_attributes: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    sides = [int(side) for side in shape]
    return x.reshape([x.shape[0], *(x.shape[i] if side == 0 else side for i, side in enumerate(sides) if i)])


def _clip(_attributes: Attributes, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    x = x if low is None else torch.maximum(x, low.to(x))
    return x if high is None else torch.minimum(x, high.to(x))


OPERATORS: dict[str, Callable[..., Tensor]] = {
    "Add": lambda _, a, b: a + b,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": lambda attributes, *parts: torch.cat(parts, attributes["axis"]),
    "Conv": _conv,
    "Div": lambda _, a, b: a / b,
    "Dropout": lambda _, x, *rest: x,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda _, x: x.mean((2, 3), keepdim=True),
    "Identity": lambda _, x: x,
    "LeakyRelu": lambda attributes, x: F.leaky_relu(x, attributes.get("alpha", 0.01)),
    "MatMul": lambda _, a, b: a @ b,
    "MaxPool": _max_pool,
    "Mul": lambda _, a, b: a * b,
    "PRelu": _prelu,
    "Relu": lambda _, x: F.relu(x),
    "Reshape": _reshape,
    "Sigmoid": lambda _, x: x.sigmoid(),
    "Sub": lambda _, a, b: a - b,
    "Transpose": lambda attributes, x: x.permute(attributes["perm"]),
}
"""By name: attributes and inputs to the one output that is used. An operator raises ValueError for a variant of it."""


class OnnxGraph(nn.Module):
    """The part of an ONNX network that computes one output from its picture input, (B, 3, h, w) or as in the file."""

    def __init__(self, path: Path, source: str, target: str) -> None:
        """Read the network.

        Args:
            path: the ONNX file.
            source: name of the input.
            target: name of the output.

        Raises:
            CamproError: for an operator that is not in `OPERATORS`, or a file that cannot be read.
        """
        super().__init__()
        import onnx  # imported here because it is slow to import
        from onnx import numpy_helper

        try:
            graph = onnx.load(str(path)).graph
            tensors = {each.name: torch.from_numpy(numpy_helper.to_array(each).copy()) for each in graph.initializer}
        except Exception as error:  # onnx raises errors of many classes
            reason = " ".join(str(error).split())[:160]
            raise CamproError(str(path), "an ONNX network", reason) from error
        self.source, self.target = source, target
        self.steps = [(n.op_type, tuple(n.input), n.output[0], _attributes(n, onnx.helper)) for n in graph.node]
        for kind, _, name, attributes in self.steps:
            if kind == "Constant" and hasattr(attributes.get("value"), "dims"):
                tensors[name] = torch.from_numpy(numpy_helper.to_array(attributes["value"]).copy())
        self.steps = [step for step in self.steps if step[0] != "Constant"]
        if unknown := sorted({kind for kind, *_ in self.steps} - OPERATORS.keys()):
            raise CamproError(str(path), f"operators {', '.join(OPERATORS)}", ", ".join(unknown))
        self.names = {name: f"tensor_{number}" for number, name in enumerate(tensors)}
        statistics = {name for kind, inputs, *_ in self.steps if kind == "BatchNormalization" for name in inputs[3:]}
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and tensor.numel() > 1 and name not in statistics:
                setattr(self, self.names[name], nn.Parameter(tensor))
            else:
                self.register_buffer(self.names[name], tensor)

    def forward(self, pictures: Tensor) -> Tensor:
        """The output for a batch.

        Raises:
            CamproError: for a variant of an operator that is not supported.
        """
        values: dict[str, Tensor] = {self.source: pictures}
        for kind, inputs, name, attributes in self.steps:
            try:
                values[name] = OPERATORS[kind](attributes, *self._taken(inputs, values))
            except (ValueError, KeyError, TypeError, RuntimeError) as error:
                reason = f"{kind}: {' '.join(str(error).split())[:120]}"
                raise CamproError("ONNX network", "operators as in `OPERATORS`", reason) from error
        return values[self.target]

    def _taken(self, inputs: Sequence[str], values: Mapping[str, Tensor]) -> list[Tensor | None]:
        found: list[Tensor | None] = []
        for name in inputs:
            if name in values:
                found.append(values[name])
            else:
                found.append(getattr(self, self.names[name]) if name else None)
        return found


def _attributes(node: Any, helper: Any) -> dict[str, Any]:
    found = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}

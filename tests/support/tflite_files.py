"""Tiny TFLite files of one operator, written with the tables of the format that ai-edge-litert brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np

IDENTIFIER = b"TFL3"
TYPES = {"float32": 0, "uint8": 3}
"""Data types of tensors and their numbers in the format."""
CUSTOM = "somebody's own"
"""An operator that LiteRT does not know."""


def write_layer(
    path: Path, size: tuple[int, int], weights: np.ndarray, bias: np.ndarray, open_sides: bool = False
) -> None:
    """Write y = W x + b of a picture (1, h, w, 3) as one vector; `open_sides`: the file leaves h and w open.

    Args:
        path: of the file.
        size: h and w.
        weights: (n, h * w * 3).
        bias: (n,).
        open_sides: whether any batch, height and width are accepted.
    """
    picture = _tensor("picture", [1, *([1, 1] if open_sides else size), 3])
    if open_sides:
        picture.shapeSignature = [-1, -1, -1, 3]
    constants = [_tensor("W", weights.shape, buffer=1), _tensor("b", bias.shape, buffer=2)]
    tensors = [picture, _tensor("y", [1, len(bias)]), *constants]
    _write(path, tensors, "FULLY_CONNECTED", [0, 2, 3], values=[weights, bias])


def write_reshape(
    path: Path, size: tuple[int, int], kind: str = "float32", operator: str = "RESHAPE", inputs: int = 1
) -> None:
    """Write a network that flattens a picture of `kind`, or states another operator or further inputs."""
    tensors = [
        _tensor("picture", [1, *size, 3], kind),
        _tensor("y", [1, size[0] * size[1] * 3], kind),
        *(_tensor(f"picture{number}", [1, *size, 3], kind) for number in range(1, inputs)),
    ]
    _write(path, tensors, operator, [0], [0, *range(2, inputs + 1)])


def _tensor(name: str, shape: Sequence[int], kind: str = "float32", buffer: int = 0) -> Any:
    """Buffer 0 is that of tensors without stored values."""
    from ai_edge_litert import schema_py_generated as schema

    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), TYPES[kind], buffer
    return tensor


def _write(
    path: Path,
    tensors: list[Any],
    operator: str,
    operands: list[int],
    inputs: Sequence[int] = (0,),
    values: Sequence[np.ndarray] = (),
) -> None:
    """One operator from tensors `operands` to tensor 1; `values` are those of buffers 1, 2, ..."""
    from ai_edge_litert import schema_py_generated as schema

    code, node, graph, model = schema.OperatorCodeT(), schema.OperatorT(), schema.SubGraphT(), schema.ModelT()
    number = getattr(schema.BuiltinOperator, operator, schema.BuiltinOperator.CUSTOM)
    code.version, code.builtinCode, code.deprecatedBuiltinCode = 1, number, number
    if operator == CUSTOM:
        code.customCode = CUSTOM
    if operator == "FULLY_CONNECTED":
        node.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        node.builtinOptions = schema.FullyConnectedOptionsT()
    if operator == "RESHAPE":
        node.builtinOptionsType, node.builtinOptions = schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT()
        node.builtinOptions.newShape = tensors[1].shape
    node.opcodeIndex, node.inputs, node.outputs = 0, operands, [1]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [node], list(inputs), [1]
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    for array in values:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.astype(np.float32).tobytes(), np.uint8)
        model.buffers.append(buffer)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    path.write_bytes(bytes(builder.Output()))

"""A network in a TFLite file that takes one picture. Needs the package ai-edge-litert (extra `tflite`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from campro.core.errors import CamproError
from campro.core.extras import require
from campro.models.faces.onnx_signature import checked_input
from campro.models.picture_network import PictureNetwork
from campro.models.preprocessing import PictureCard

WANTED = "a TFLite network"
FLOATS = "convert the network with inputs and outputs of float32"


class TfliteNetwork(PictureNetwork):
    """See `PictureNetwork`; runs in LiteRT's interpreter on the CPU, one picture at a time.

    Raises:
        CamproError: Without the package, for a missing or damaged TFLite file, one whose input does not suit the card,
            or one of whole numbers.
    """

    def __init__(self, card: PictureCard, path: Path) -> None:
        self.card = card
        self.interpreter = _interpreter(path, card.name)
        inputs = self.interpreter.get_input_details()
        if len(inputs) != 1:
            got = ", ".join(each["name"] for each in inputs) or "none"
            raise CamproError(str(path), "one input, the picture", got, FLOATS)
        if not (outputs := self.interpreter.get_output_details()):
            raise CamproError(str(path), "an output", "none", "convert the network again")
        _check_floats([*inputs, *outputs], path)
        signature = inputs[0]["shape_signature"].tolist()  # -1 where the file leaves a side open; there the shape has 1
        shape = [max(signature[0], 1), *signature[1:]] if signature else []
        self.input = checked_input(inputs[0]["name"], shape, np.float32, card, path)
        self._input_index, self._output_indices = inputs[0]["index"], [each["index"] for each in outputs]
        self._shape: tuple[int, ...] = tuple(inputs[0]["shape"].tolist())

    def _outputs(self, batch: np.ndarray) -> Sequence[np.ndarray]:
        if batch.shape != self._shape:
            self.interpreter.resize_tensor_input(self._input_index, batch.shape, strict=True)
            self.interpreter.allocate_tensors()
            self._shape = batch.shape
        self.interpreter.set_tensor(self._input_index, batch)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(index) for index in self._output_indices]


def _interpreter(path: Path, who: str) -> Any:
    """LiteRT's interpreter of the file, ready to run; operators that LiteRT does not know are refused.

    Its own kernels are used, without the XNNPACK delegate, which prints a line on standard error.
    """
    module = require("ai_edge_litert.interpreter", "tflite", who)
    if not path.is_file():
        raise CamproError(str(path), WANTED, "no such file")
    try:
        kernels = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = module.Interpreter(str(path), experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
    except Exception as error:  # LiteRT raises errors of several classes
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(path), WANTED, reason, "the file is damaged or of another kind; get it again") from error
    return interpreter


def _check_floats(tensors: Sequence[dict[str, Any]], path: Path) -> None:
    """Whole numbers would need their scale and zero point, which no network at hand has."""
    for tensor in tensors:
        if tensor["dtype"] is not np.float32:
            got = f"{tensor['name']} of {np.dtype(tensor['dtype']).name}"
            raise CamproError(str(path), "inputs and outputs of float32", got, FLOATS)

"""What a face detector makes of pictures before it says where faces are: more than its boxes tell of every place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.subgraph import load_subgraph
from campro.core.types import Images
from campro.models.faces.face_detectors import YunetFaces
from campro.models.faces.landmarks import FaceDetector

STRIDES = (8, 16, 32)
HEADS = 4
"""At each stride YuNet has heads for class, objectness, box and points, and all of them read the same features."""


class YunetFeatures:
    """YuNet up to where its heads begin: (B, C, H / stride, W / stride) at each of STRIDES."""

    def __init__(self, path: Path) -> None:
        model = _of_any_size(onnx.load(path))
        (self._input,) = (given.name for given in model.graph.input)
        shared = [_shared(model.graph, f"cls_{stride}") for stride in STRIDES]
        self._session = load_subgraph(model, [self._input], shared)

    def __call__(self, images: Images) -> list[Float[Tensor, "B C h w"]]:
        """Of pictures whose sides are multiples of the largest stride; on their device."""
        bgr = np.ascontiguousarray(255 * images.flip(1).cpu().numpy())
        return [torch.from_numpy(part).to(images.device) for part in self._session.run(None, {self._input: bgr})]


def detector_features(detector: FaceDetector) -> YunetFeatures | None:
    """What a detector of the table has of that kind; None for those that are no network, or hide it."""
    return YunetFeatures(detector.path) if isinstance(detector, YunetFaces) else None


def _of_any_size(model: onnx.ModelProto) -> onnx.ModelProto:
    """Some files are made for one size, but nothing before the heads is."""
    for name, axis in (("batch", 0), ("height", 2), ("width", 3)):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model)


def _shared(graph: onnx.GraphProto, output: str) -> str:
    """The nearest tensor before an output that as many nodes read as there are heads."""
    makers = {name: node for node in graph.node for name in node.output}
    while sum(output in node.input for node in graph.node) < HEADS:
        output = makers[output].input[0]
    return output

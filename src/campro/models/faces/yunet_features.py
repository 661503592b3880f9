"""Feature maps of the face detector YuNet before its heads; they contain more than the detected boxes."""

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
"""Strides of the feature maps, in pixels of the input."""
HEADS = 4
"""Heads per stride (class, objectness, box, points); all of them read the same feature map."""


class YunetFeatures:
    """The part of YuNet before its heads, run by ONNX Runtime: no gradients."""

    def __init__(self, path: Path) -> None:
        model = _of_any_size(onnx.load(path))
        (self._input,) = (given.name for given in model.graph.input)
        shared = [_shared(model.graph, f"cls_{stride}") for stride in STRIDES]
        self._session = load_subgraph(model, [self._input], shared)

    def __call__(self, images: Images) -> list[Float[Tensor, "B C h w"]]:
        """Feature maps (B, C, H / stride, W / stride) at each of STRIDES, on the device of the images.

        Images are (B, 3, H, W), sRGB in [0, 1]; H and W are multiples of 32.
        """
        bgr = np.ascontiguousarray(255 * images.flip(1).cpu().numpy())
        return [torch.from_numpy(part).to(images.device) for part in self._session.run(None, {self._input: bgr})]


def detector_features(detector: FaceDetector) -> YunetFeatures | None:
    """The feature maps of a face detector; None unless it is a YuNet."""
    return YunetFeatures(detector.path) if isinstance(detector, YunetFaces) else None


def _of_any_size(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model for any input size: some files declare one size, but no node before the heads depends on it."""
    for name, axis in (("batch", 0), ("height", 2), ("width", 3)):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model)


def _shared(graph: onnx.GraphProto, output: str) -> str:
    """The last tensor before an output that is the input of HEADS nodes."""
    makers = {name: node for node in graph.node for name in node.output}
    while sum(output in node.input for node in graph.node) < HEADS:
        output = makers[output].input[0]
    return output

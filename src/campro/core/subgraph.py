"""Parts of ONNX models."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
import onnx.utils
import onnxruntime


def load_subgraph(
    model: onnx.ModelProto, inputs: Sequence[str], outputs: Sequence[str]
) -> onnxruntime.InferenceSession:
    """A CPU session of the part of `model` between the tensors called `inputs` and those called `outputs`."""
    part = onnx.utils.Extractor(model).extract_model(list(inputs), list(outputs))
    options = onnxruntime.SessionOptions()
    # Idle threads would otherwise wait actively and occupy cores that other work needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])

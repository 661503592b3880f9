"""A part of an ONNX model, ready to run beside other work on the same cores."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
import onnx.utils
import onnxruntime


def load_subgraph(
    model: onnx.ModelProto, inputs: Sequence[str], outputs: Sequence[str]
) -> onnxruntime.InferenceSession:
    """A session on the CPU of what lies between those tensors."""
    part = onnx.utils.Extractor(model).extract_model(list(inputs), list(outputs))
    options = onnxruntime.SessionOptions()
    # Its idle threads would otherwise spin for a while on the cores that kernels or a training want next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])

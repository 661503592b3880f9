"""Networks in ONNX files, as ONNX Runtime runs them on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from campro.core.errors import CamproError

ERRORS = 3
"""Severity from which ONNX Runtime prints: older files list their weights as inputs, each with a warning."""


def onnx_session(path: Path, wanted: str = "an ONNX network") -> Any:
    """An `onnxruntime.InferenceSession` on the CPU.

    Args:
        path: the file.
        wanted: what the file is to be, for the error.

    Raises:
        CamproError: for a missing or damaged file.
    """
    import onnxruntime  # imported here because it is slow to import

    if not path.is_file():
        raise CamproError(str(path), wanted, "no such file")
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises errors of many classes
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(path), wanted, reason, "the file is damaged or of another kind; get it again") from error

"""Image restoration networks from ONNX files, as others have trained them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.images import to_rgb8, to_tensor
from campro.core.onnx_session import onnx_session
from campro.core.types import Rgb8


class OnnxRestorer:
    """A network with one input (1, 3, H, W), sRGB in [0, 1], and such an output; an `ImageTransform`.

    H and W of the file may be free or fixed. A network of fixed size gets the picture resized to it, and its output
    is resized back.
    """

    def __init__(self, path: Path) -> None:
        """Load the network; it runs on the CPU.

        Raises:
            CamproError: if the file is not readable, or the network has other inputs.
        """
        self.name, self._path = path.stem, str(path)
        self._session = onnx_session(path, "a network as an ONNX file")
        self.digest = file_sha256(path)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] != 3 or not outputs:
            shapes = ", ".join(str(one.shape) for one in inputs)
            raise CamproError(str(path), "a network of one input (1, 3, H, W)", shapes)
        self._input = inputs[0].name
        height, width = inputs[0].shape[2:]
        self._size = (height, width) if isinstance(height, int) and isinstance(width, int) else None

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The restored picture, of the same size.

        Raises:
            CamproError: if the network fails on it, or its output is no picture.
        """
        height, width = rgb.shape[:2]
        try:
            resized = rgb if self._size is None else cv2.resize(rgb, self._size[::-1], interpolation=cv2.INTER_AREA)
            output = self._session.run(None, {self._input: to_tensor(np.ascontiguousarray(resized)).numpy()})[0]
            if output.ndim != 4 or output.shape[:2] != (1, 3) or not output.size or not np.isfinite(output).all():
                raise ValueError(f"an output {output.shape}, or values that are not finite")
        except Exception as error:  # onnxruntime and OpenCV raise errors of many classes
            reason = " ".join(str(error).split())[:160]
            raise CamproError(self._path, "a network with an output (1, 3, H, W)", reason) from error
        restored = to_rgb8(torch.from_numpy(output.astype(np.float32)).clamp(0, 1))[0]
        if restored.shape[:2] == (height, width):
            return restored
        return np.asarray(cv2.resize(restored, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)

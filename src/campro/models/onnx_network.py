"""A network in an ONNX file that takes one picture: pose estimators, person detectors, captioners."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from campro.core.errors import CamproError
from campro.core.onnx_session import onnx_session
from campro.core.types import Images
from campro.models.faces.onnx_signature import picture_input
from campro.models.preprocessing import PictureCard


class OnnxNetwork:
    """Prepares pictures by a card, runs them one batch at a time, returns all outputs in the order of the file.

    Raises:
        CamproError: For a missing or damaged ONNX file, or one whose input does not suit the card.
    """

    def __init__(self, card: PictureCard, path: Path) -> None:
        self.card = card
        self.session = onnx_session(path)
        self.input = picture_input(self.session, card, path)

    def __call__(self, pictures: Images) -> list[np.ndarray]:
        """Outputs for pictures (B, 3, h, w) of the size of the card, RGB in [0, 1]; first axis B.

        Raises:
            CamproError: if the network fails.
        """
        prepared = self.input.convert(self.card.prepare(pictures).cpu().numpy())
        size = self.input.batch or len(prepared)
        parts = [self._run(prepared[start : start + size], size) for start in range(0, len(prepared), size)]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _run(self, part: np.ndarray, size: int) -> list[np.ndarray]:
        """A batch of a fixed size is filled up with the last picture."""
        missing = size - len(part)
        batch = np.concatenate([part, part[-1:].repeat(missing, 0)]) if missing else part
        try:
            outputs = self.session.run(None, {self.input.name: batch})
        except Exception as error:  # onnxruntime raises errors of many classes
            raise CamproError(self.card.name, "a network that accepts its input", str(error)[:160]) from error
        return [np.asarray(output, np.float32)[: len(part)] for output in outputs]


def as_batch(pictures: np.ndarray) -> Images:
    """Arrays (B, h, w, 3) in [0, 1] as a batch (B, 3, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32))

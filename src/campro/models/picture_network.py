"""A network in a file that takes one picture: what ONNX and TFLite files have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch

from campro.core.errors import CamproError
from campro.core.types import Images
from campro.models.faces.onnx_signature import PictureInput
from campro.models.preprocessing import PictureCard


class PictureNetwork(ABC):
    """Prepares pictures by a card, runs them one batch at a time, returns all outputs in the order of the file."""

    card: PictureCard
    input: PictureInput

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
            outputs = self._outputs(batch)
        except Exception as error:  # ONNX Runtime and LiteRT raise errors of many classes
            reason = " ".join(str(error).split())[:160]
            raise CamproError(self.card.name, "a network that accepts its input", reason) from error
        return [np.asarray(output, np.float32)[: len(part)] for output in outputs]

    @abstractmethod
    def _outputs(self, batch: np.ndarray) -> Sequence[np.ndarray]:
        """All outputs for one batch with the axes and the data type of the file."""


def as_batch(pictures: np.ndarray) -> Images:
    """Arrays (B, h, w, 3) in [0, 1] as a batch (B, 3, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32))

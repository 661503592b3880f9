"""A network in an ONNX file that takes one picture: pose estimators, person detectors, captioners."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from campro.core.onnx_session import onnx_session
from campro.models.faces.onnx_signature import picture_input
from campro.models.picture_network import PictureNetwork
from campro.models.preprocessing import PictureCard


class OnnxNetwork(PictureNetwork):
    """See `PictureNetwork`; runs in ONNX Runtime on the CPU.

    Raises:
        CamproError: For a missing or damaged ONNX file, or one whose input does not suit the card.
    """

    def __init__(self, card: PictureCard, path: Path) -> None:
        self.card = card
        self.session = onnx_session(path)
        self.input = picture_input(self.session, card, path)

    def _outputs(self, batch: np.ndarray) -> Sequence[np.ndarray]:
        outputs: Sequence[np.ndarray] = self.session.run(None, {self.input.name: batch})
        return outputs

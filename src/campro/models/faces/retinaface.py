"""RetinaFace: the face detector with which CamPro (NDSS 2024, V-D) masks faces.

Source: Deng et al., RetinaFace: Single-Shot Multi-Level Face Localisation in the Wild (CVPR 2020).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.types import Rgb8
from campro.models.faces.checkpoint import load_into, read_checkpoint
from campro.models.faces.onnx_detectors import LONGEST, ScaledFaces
from campro.models.faces.retinaface_net import RetinaFaceNet

MEAN_BGR = (104.0, 117.0, 123.0)
"""Subtracted from pixels of 0 to 255."""
STRIDES = (8, 16, 32)
ANCHOR_SIDES = ((10, 20), (32, 64), (128, 256))
"""Sides, in pixels, of the two square anchors per cell of each stride."""
CENTRE_SCALE, SIZE_SCALE = 0.1, 0.2
"""Scales of the outputs: offset of the centre in units of the anchor, and logarithm of the size."""


class RetinaFaces(ScaledFaces):
    """RetinaFace with MobileNet 0.25 from a PyTorch checkpoint; None: the one of the catalogue.

    Raises:
        CamproError: For a missing or damaged file, or one of another network.
    """

    name = "retinaface"

    def __init__(self, weights: Path | None = None) -> None:
        path = weights or locate("retinaface-mobilenet0.25")
        if not path.is_file():
            raise CamproError(str(path), "a weight file of RetinaFace MobileNet 0.25", "no such file")
        self._net = RetinaFaceNet()
        load_into(self._net, read_checkpoint(path), path)
        self._net.eval()
        self.digest = json_digest([self.name, file_sha256(path), self.SCORE, self.NMS, LONGEST])

    def prepare(self, rgb: Rgb8) -> Float[np.ndarray, "3 h w"]:
        """(3, H, W), BGR, 0 to 255 minus the mean."""
        return (rgb[..., ::-1].astype(np.float32) - np.array(MEAN_BGR, np.float32)).transpose(2, 0, 1)

    @torch.inference_mode()
    def run(self, prepared: Float[np.ndarray, "1 3 h w"]) -> list[np.ndarray]:
        """Scores, boxes, points and anchors."""
        scores, boxes, points = (output.numpy() for output in self._net(torch.from_numpy(prepared)))
        return [scores, boxes, points, anchors(prepared.shape[2], prepared.shape[3])]

    def decode(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "N 15"]:
        """See `ScaledFaces.decode`."""
        scores, boxes, points, anchor = outputs
        centres, sides = anchor[:, :2], anchor[:, 2:]
        centre = centres + boxes[:, :2] * CENTRE_SCALE * sides
        half = sides * np.exp(boxes[:, 2:] * SIZE_SCALE) / 2
        places = np.tile(centres, 5) + points * CENTRE_SCALE * sides
        return np.concatenate([centre - half, centre + half, scores[:, 1:], places], 1)


def anchors(height: int, width: int) -> Float[np.ndarray, "A 3"]:
    """Anchors (x, y, side) in pixels of an input whose sides are multiples of 32, in the order of the outputs.

    >>> anchors(32, 32)[:3].tolist()
    [[4.0, 4.0, 10.0], [4.0, 4.0, 20.0], [12.0, 4.0, 10.0]]
    """
    levels = []
    for stride, sides in zip(STRIDES, ANCHOR_SIDES):
        y, x, side = np.meshgrid(
            np.arange(0.5, height // stride), np.arange(0.5, width // stride), np.array(sides, float), indexing="ij"
        )
        levels.append(np.stack([x * stride, y * stride, side], -1).reshape(-1, 3))
    return np.concatenate(levels)

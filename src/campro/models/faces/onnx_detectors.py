"""SCRFD and CenterFace: face detectors in ONNX files, decoded here.

Sources: Guo et al., Sample and Computation Redistribution for Efficient Face Detection (ICLR 2022); Xu et al.,
CenterFace (2019).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float

from campro.core.boxes import nms
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.onnx_session import onnx_session
from campro.core.types import Rgb8
from campro.models.faces.landmarks import Face, Scheme

MULTIPLE = 32
"""Height and width of the input are padded to multiples of this, the largest stride, in pixels."""
LONGEST = 640
"""Longest side of the input in pixels; larger images are shrunk to it."""


class ScaledFaces:
    """Common base class: scale and pad the image, run the network, decode, suppress, scale back."""

    name = "scaled"
    digest: str
    scheme: Scheme = "five"
    SCORE, NMS = 0.5, 0.4
    """Lowest score, and overlap above which the box of lower score is removed."""
    confident_score = SCORE

    def prepare(self, rgb: Rgb8) -> Float[np.ndarray, "3 h w"]:
        """An 8-bit sRGB image (H, W, 3) as the input of the network."""
        raise NotImplementedError

    def run(self, prepared: Float[np.ndarray, "1 3 h w"]) -> list[np.ndarray]:
        """The outputs of the network for one picture."""
        raise NotImplementedError

    def decode(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "N 15"]:
        """One row per detection: box (x0, y0, x1, y1), score, five points (x, y), in pixels of the network's input."""
        raise NotImplementedError

    def detect(self, rgb: Rgb8) -> list[Face]:
        """See `FaceDetector.detect`.

        Raises:
            CamproError: if the outputs are not those of this network.
        """
        scale = min(1.0, LONGEST / max(rgb.shape[:2]))
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        small = rgb if scale == 1 else np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
        below, right = -small.shape[0] % MULTIPLE, -small.shape[1] % MULTIPLE
        padded = np.pad(small, ((0, below), (0, right), (0, 0)))
        decoded = self._decoded(self.run(np.ascontiguousarray(self.prepare(padded)[None], np.float32)))
        decoded = decoded[decoded[:, 4] >= self.SCORE].astype(np.float64)
        kept = nms(torch.from_numpy(decoded[:, :4]), torch.from_numpy(decoded[:, 4]), self.NMS).tolist()
        back = np.array([rgb.shape[1] / small.shape[1], rgb.shape[0] / small.shape[0]])
        return [_face(decoded[index], back) for index in kept]

    def _decoded(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "N 15"]:
        """`decode`, with one error for all wrong shapes."""
        try:
            return self.decode(outputs)
        except CamproError:
            raise
        except (ValueError, IndexError) as error:
            shapes = ", ".join(str(output.shape) for output in outputs)
            raise CamproError(self.name, f"the outputs of {self.name}", shapes, "use another file") from error


def _face(values: Float[np.ndarray, "15"], back: Float[np.ndarray, "2"]) -> Face:
    """A decoded detection in pixels of the image; `back` are the factors of x and y."""
    x0, y0, x1, y1 = (values[:4] * np.tile(back, 2)).tolist()
    return Face((x0, y0, x1, y1), float(values[4]), values[5:].reshape(5, 2) * back)


class OnnxFaces(ScaledFaces):
    """A network in an ONNX file.

    Raises:
        CamproError: For a missing or damaged ONNX file.
    """

    name = "onnx"

    def __init__(self, path: Path) -> None:
        self._session = onnx_session(path, f"an ONNX file of {self.name}")
        self._input = self._session.get_inputs()[0].name
        self.digest = json_digest([self.name, file_sha256(path), self.SCORE, self.NMS, LONGEST])

    def run(self, prepared: Float[np.ndarray, "1 3 h w"]) -> list[np.ndarray]:
        """See `ScaledFaces.run`."""
        return [np.asarray(output) for output in self._session.run(None, {self._input: prepared})]


class ScrfdFaces(OnnxFaces):
    """SCRFD with landmarks. Outputs: scores, boxes and points of each stride, as distances from the cell in strides."""

    name = "scrfd"
    STRIDES, ANCHORS = (8, 16, 32), 2

    def prepare(self, rgb: Rgb8) -> Float[np.ndarray, "3 h w"]:
        """(3, H, W), RGB, (x - 127.5) / 128."""
        self._shape = rgb.shape[:2]
        return ((rgb - 127.5) / 128).transpose(2, 0, 1)

    def decode(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "N 15"]:
        """See `ScaledFaces.decode`."""
        if len(outputs) != 9:
            raise CamproError("scrfd", "nine outputs (a model with landmarks)", str(len(outputs)))
        flat = [output.reshape(-1, output.shape[-1]) for output in outputs]
        return np.concatenate([self._level(i, flat[i], flat[i + 3], flat[i + 6]) for i in range(3)])

    def _level(self, level: int, score: Any, box: Any, points: Any) -> Float[np.ndarray, "N 15"]:
        stride = self.STRIDES[level]
        rows, columns = self._shape[0] // stride, self._shape[1] // stride
        y, x = np.mgrid[:rows, :columns]
        centre = np.repeat(np.stack([x, y], 2).reshape(-1, 2), self.ANCHORS, axis=0) * stride
        corners = np.concatenate([centre - box[:, :2] * stride, centre + box[:, 2:] * stride], 1)
        return np.concatenate([corners, score, np.tile(centre, 5) + points * stride], 1)


class CenterfaceFaces(OnnxFaces):
    """CenterFace. Outputs: heat map, logarithm of the size, offset, points (y, x); at a quarter of the resolution."""

    name = "centerface"
    STRIDE = 4

    def prepare(self, rgb: Rgb8) -> Float[np.ndarray, "3 h w"]:
        """(3, H, W), RGB, 0 to 255."""
        return rgb.transpose(2, 0, 1).astype(np.float32)

    def decode(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "N 15"]:
        """See `ScaledFaces.decode`."""
        if [output.shape[1] for output in outputs] != [1, 2, 2, 10]:
            raise CamproError("centerface", "heat map, scale, offset and points", str([o.shape for o in outputs]))
        heat, scale, offset, points = (output[0] for output in outputs)
        y, x = np.nonzero(heat[0] >= self.SCORE)
        height, width = np.exp(scale[:, y, x]) * self.STRIDE
        top = (y + offset[0, y, x] + 0.5) * self.STRIDE - height / 2
        left = (x + offset[1, y, x] + 0.5) * self.STRIDE - width / 2
        relative = points[:, y, x].reshape(5, 2, -1)
        absolute = np.stack([left + relative[:, 1] * width, top + relative[:, 0] * height], 2)  # (5, N, 2)
        boxes = [left, top, left + width, top + height, heat[0, y, x]]
        return np.concatenate([np.stack(boxes, 1), absolute.transpose(1, 0, 2).reshape(-1, 10)], 1)

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
from torchvision.ops import nms

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.types import Rgb8
from campro.models.faces.landmarks import Face, Scheme

MULTIPLE = 32
"""Networks halve five times, so pictures are padded to multiples of this."""
LONGEST = 640
"""Larger pictures are shrunk to it first."""


class OnnxFaces:
    """What both share: fit the picture in, run, decode, suppress, scale back."""

    name = "onnx"
    scheme: Scheme = "five"
    SCORE, NMS = 0.5, 0.4
    confident_score = SCORE

    def __init__(self, path: Path) -> None:
        import onnxruntime  # takes a while, and only these need it

        if not path.is_file():
            raise CamproError(str(path), f"an ONNX file of {self.name}", "no such file")
        try:
            self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has its own error classes for each way a file can be broken
            reason = " ".join(str(error).split())[:160]
            raise CamproError(str(path), f"an ONNX file of {self.name}", reason, "get the file again") from error
        self._input = self._session.get_inputs()[0].name
        self.digest = json_digest([self.name, file_sha256(path), self.SCORE, self.NMS, LONGEST])

    def prepare(self, rgb: Rgb8) -> Float[np.ndarray, "3 h w"]:
        """Values as the network was trained with."""
        raise NotImplementedError

    def decode(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "N 15"]:
        """Rows of box (4), score, points (10) in pixels of the network's input."""
        raise NotImplementedError

    def detect(self, rgb: Rgb8) -> list[Face]:
        """See `FaceDetector.detect`."""
        scale = min(1.0, LONGEST / max(rgb.shape[:2]))
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        small = rgb if scale == 1 else np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
        below, right = -small.shape[0] % MULTIPLE, -small.shape[1] % MULTIPLE
        padded = np.pad(small, ((0, below), (0, right), (0, 0)))
        outputs = self._session.run(None, {self._input: self.prepare(padded)[None].astype(np.float32)})
        rows = self.decode([np.asarray(output) for output in outputs])
        rows = rows[rows[:, 4] >= self.SCORE].astype(np.float64)
        kept = nms(torch.from_numpy(rows[:, :4]), torch.from_numpy(rows[:, 4]), self.NMS).tolist()
        back = np.array([rgb.shape[1] / small.shape[1], rgb.shape[0] / small.shape[0]])
        return [_face(rows[i], back) for i in kept]


def _face(row: Float[np.ndarray, "15"], back: Float[np.ndarray, "2"]) -> Face:
    x0, y0, x1, y1 = (row[:4] * np.tile(back, 2)).tolist()
    return Face((x0, y0, x1, y1), float(row[4]), row[5:].reshape(5, 2) * back)


class ScrfdFaces(OnnxFaces):
    """SCRFD with landmarks: per stride scores, then boxes, then points, as distances from the cell in strides."""

    name = "scrfd"
    STRIDES, ANCHORS = (8, 16, 32), 2

    def prepare(self, rgb: Rgb8) -> Float[np.ndarray, "3 h w"]:
        """RGB, (x - 127.5) / 128."""
        self._shape = rgb.shape[:2]
        return ((rgb - 127.5) / 128).transpose(2, 0, 1)

    def decode(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "N 15"]:
        """See `OnnxFaces.decode`."""
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
    """CenterFace: heat map, log size, offset and points in (y, x) at a quarter of the resolution."""

    name = "centerface"
    STRIDE = 4

    def prepare(self, rgb: Rgb8) -> Float[np.ndarray, "3 h w"]:
        """RGB, 0..255."""
        return rgb.transpose(2, 0, 1).astype(np.float32)

    def decode(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "N 15"]:
        """See `OnnxFaces.decode`."""
        if [output.shape[1] for output in outputs] != [1, 2, 2, 10]:
            raise CamproError("centerface", "heat map, scale, offset and points", str([o.shape for o in outputs]))
        heat, scale, offset, points = (output[0] for output in outputs)
        y, x = np.nonzero(heat[0] >= self.SCORE)
        height, width = np.exp(scale[:, y, x]) * self.STRIDE
        top = (y + offset[0, y, x] + 0.5) * self.STRIDE - height / 2
        left = (x + offset[1, y, x] + 0.5) * self.STRIDE - width / 2
        marks = points[:, y, x].reshape(5, 2, -1)
        places = np.stack([left + marks[:, 1] * width, top + marks[:, 0] * height], 2)  # (5, N, 2)
        rows = [left, top, left + width, top + height, heat[0, y, x]]
        return np.concatenate([np.stack(rows, 1), places.transpose(1, 0, 2).reshape(-1, 10)], 1)

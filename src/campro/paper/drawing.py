"""Boxes, skeletons and captions drawn on photographs."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from jaxtyping import Float

from campro.core.types import Rgb8

BONES = (
    *((5, 7), (7, 9), (6, 8), (8, 10), (5, 6), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
    *((0, 1), (0, 2), (1, 3), (2, 4)),
)
"""Pairs of COCO's key points: arms, trunk, legs, head."""
LEAST_SCORE = 0.2
"""Of key points that are drawn."""
BOX, BONE, JOINT = (255, 190, 0), (0, 220, 120), (255, 60, 60)


def draw_boxes(rgb: Rgb8, boxes: Float[np.ndarray, "N 4"]) -> Rgb8:
    """A copy with boxes (x0, y0, x1, y1)."""
    out = np.ascontiguousarray(rgb).copy()
    for x0, y0, x1, y1 in np.round(boxes).astype(int).tolist():
        cv2.rectangle(out, (x0, y0), (x1, y1), BOX, _width(out))
    return out


def draw_skeletons(rgb: Rgb8, points: Float[np.ndarray, "N 17 3"]) -> Rgb8:
    """A copy with the bones between key points of sufficient score."""
    out = np.ascontiguousarray(rgb).copy()
    for person in points:
        place = [tuple(pair) for pair in np.round(person[:, :2]).astype(int).tolist()]
        sure = person[:, 2] >= LEAST_SCORE
        for one, two in BONES:
            if sure[one] and sure[two]:
                cv2.line(out, place[one], place[two], BONE, _width(out), cv2.LINE_AA)
        for number in np.flatnonzero(sure):
            cv2.circle(out, place[number], _width(out) + 1, JOINT, -1, cv2.LINE_AA)
    return out


def _width(rgb: Rgb8) -> int:
    """Of lines, in pixels."""
    return max(1, round(max(rgb.shape[:2]) / 200))


def jpeg_uri(rgb: Rgb8, longest: int = 280, quality: int = 80) -> str:
    """A data: URI of the picture, shrunk so that its longest side has at most `longest` pixels."""
    scale = min(1.0, longest / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()

"""Boxes of all faces of a photograph, small faces included: the regions that an enhancer leaves unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.boxes import nms
from campro.core.cache_file import is_finite, read_values, write_values
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import read_image
from campro.core.progress import Progress
from campro.core.types import Rgb8
from campro.models.faces.landmarks import FaceDetector

SCALES = (1.0, 2.0)
"""Scales at which faces are detected; the enlarged photograph is for faces below a detector's smallest size."""
OVERLAP = 0.4
"""Intersection over union above which two detections are the same face."""
SAVE_EVERY = 200
"""Number of photographs after which the boxes are written to the cache."""
Boxes = Float[Tensor, "N 4"]
"""(x0, y0, x1, y1) in pixels of the photograph."""


def all_faces(rgb: Rgb8, detector: FaceDetector) -> Boxes:
    """Boxes of the faces detected at any of the scales, after non-maximum suppression over all scales."""
    detections = []
    for scale in SCALES:
        size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        scaled = rgb if scale == 1 else np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC))
        detections += [(*(value / scale for value in face.box), face.score) for face in detector.detect(scaled)]
    table = torch.tensor(detections, dtype=torch.float32).reshape(-1, 5)
    return table[nms(table[:, :4], table[:, 4], OVERLAP), :4]


def find_face_boxes(photos: Sequence[Path], detector: FaceDetector, cache: Path) -> dict[Path, Boxes]:
    """Boxes of all faces of each photograph; stored below `cache`, keyed by the content of the photograph.

    Raises:
        CamproError: if a photograph cannot be read, or the cache file is damaged.
    """
    file = cache / "face-boxes" / f"{json_digest([detector.digest, SCALES, OVERLAP])}.checked.json"
    known: dict[str, list[list[float]]] = read_values(file, "face boxes", _are_boxes)
    contents = {photo: file_sha256(photo) for photo in photos}
    todo = [photo for photo, content in contents.items() if content not in known]
    with Progress(f"find all faces by {detector.name}", len(todo)) as progress:
        for number, photo in enumerate(todo, 1):
            known[contents[photo]] = all_faces(read_image(photo), detector).tolist()
            if number % SAVE_EVERY == 0 or number == len(todo):
                write_values(file, known)
            progress.advance()
    return {photo: torch.tensor(known[content]).reshape(-1, 4) for photo, content in contents.items()}


def _are_boxes(value: Any) -> bool:
    """Whether a cached value is a list of boxes of four finite numbers."""
    return isinstance(value, list) and all(
        isinstance(box, list) and len(box) == 4 and all(map(is_finite, box)) for box in value
    )

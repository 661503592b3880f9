"""Where all faces of a photograph are, small ones too: what an enhancer must leave out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.ops import nms

from campro.core.atomic_io import atomic_write
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import read_image
from campro.core.progress import Progress
from campro.core.types import Rgb8
from campro.models.faces.landmarks import FaceDetector

SCALES = (1.0, 2.0)
"""Photographs are searched as they are and enlarged, where small faces grow to a size that detectors know."""
OVERLAP = 0.4
SAVE_EVERY = 200
Boxes = Float[Tensor, "N 4"]
"""(x0, y0, x1, y1) in pixels of the photograph."""


def all_faces(rgb: Rgb8, detector: FaceDetector) -> Boxes:
    """Boxes of every face at every scale, each face once."""
    rows = []
    for scale in SCALES:
        size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        seen = rgb if scale == 1 else np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC))
        rows += [(*(value / scale for value in face.box), face.score) for face in detector.detect(seen)]
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    return table[nms(table[:, :4], table[:, 4], OVERLAP), :4]


def find_face_boxes(photos: Sequence[Path], detector: FaceDetector, cache: Path) -> dict[Path, Boxes]:
    """Boxes of all faces of every photograph, remembered by content in `cache`.

    Raises:
        CamproError: where a photograph cannot be read.
    """
    file = cache / "face-boxes" / f"{json_digest([detector.digest, SCALES, OVERLAP])}.json"
    known: dict[str, list[list[float]]] = json.loads(file.read_text()) if file.exists() else {}
    contents = {photo: file_sha256(photo) for photo in photos}
    todo = [photo for photo, content in contents.items() if content not in known]
    with Progress(f"find all faces by {detector.name}", len(todo)) as progress:
        for number, photo in enumerate(todo, 1):
            known[contents[photo]] = all_faces(read_image(photo), detector).tolist()
            if number % SAVE_EVERY == 0 or number == len(todo):
                atomic_write(file, json.dumps(known))
            progress.advance()
    return {photo: torch.tensor(known[content]).reshape(-1, 4) for photo, content in contents.items()}

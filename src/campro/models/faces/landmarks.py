"""What a face detector gives, and the landmarks of many photographs, computed once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float

from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import read_image
from campro.core.progress import Progress
from campro.core.types import ImageTransform, Rgb8

Scheme = Literal["five", "dlib"]
"""Which five points: "five" = both pupils, nose tip, both corners of the mouth (left of the picture first);
"dlib" = outer and inner corner of the right and of the left eye of the picture, lower end of the nose."""
Points = Float[np.ndarray, "5 2"]
SAVE_EVERY = 500


@dataclass(frozen=True)
class Face:
    """One face: box (x0, y0, x1, y1), score, and five points (x, y), all in pixels."""

    box: tuple[float, float, float, float]
    score: float
    points: Points


class FaceDetector(Protocol):
    """Finds faces and their landmarks in one picture."""

    name: str
    scheme: Scheme
    confident_score: float
    """Lowest score of a detection that counts as a face."""
    digest: str
    """Content hash of what decides the landmarks; key of the cache."""

    def detect(self, rgb: Rgb8) -> list[Face]:
        """Faces in no particular order."""
        ...


@dataclass(frozen=True)
class Landmarks:
    """Five points of the main face of each photograph."""

    scheme: Scheme
    digest: str
    """Of the detector, and the view if it is not the raw photograph."""
    found: dict[Path, Points]
    missed: tuple[Path, ...] = ()
    """Photographs in which no face was found."""
    problems: tuple[str, ...] = field(default=())
    """One line for each photograph that could not be read."""


def main_face(faces: Sequence[Face], height: int, width: int) -> Face | None:
    """The largest face, central ones preferred: who a portrait is of. None if there is none.

    A face loses weight with its distance from the middle, half of it at a distance of half the picture.
    """

    def weight(face: Face) -> float:
        x0, y0, x1, y1 = face.box
        away = np.hypot((x0 + x1 - width) / width, (y0 + y1 - height) / height)
        return max(x1 - x0, 0.0) * max(y1 - y0, 0.0) / (1 + away**2)

    return max(faces, key=weight, default=None)


def find_landmarks(
    photos: Sequence[Path], detector: FaceDetector, cache: Path, view: ImageTransform | None = None
) -> Landmarks:
    """Landmarks of the main face of every photograph, as seen through `view`, remembered by content in `cache`.

    Unreadable photographs and those without a face are named in the result, never silently dropped.
    """
    digest = detector.digest if view is None else json_digest([detector.digest, view.digest])
    file = cache / "landmarks" / f"{digest}.json"
    known = _read_known(file)
    contents = {photo: file_sha256(photo) for photo in photos}
    todo = [photo for photo, content in contents.items() if content not in known]
    problems: list[str] = []
    label = f"find faces by {detector.name}" + (f", {view.name}" if view else "")
    with Progress(label, len(todo)) as progress:
        for number, photo in enumerate(todo, 1):
            try:
                known[contents[photo]] = _points_of(photo, detector, view)
            except CamproError as error:
                problems.append(f"left out: {error}")
            if number % SAVE_EVERY == 0 or number == len(todo):
                atomic_write(file, json.dumps(known))
            progress.advance()
    found = {photo: np.array(points) for photo in photos if (points := known.get(contents[photo])) is not None}
    missed = tuple(photo for photo in photos if contents[photo] in known and known[contents[photo]] is None)
    return Landmarks(detector.scheme, digest, found, missed, tuple(problems))


def _points_of(photo: Path, detector: FaceDetector, view: ImageTransform | None) -> list[list[float]] | None:
    rgb = read_image(photo) if view is None else view(read_image(photo))
    face = main_face(detector.detect(rgb), rgb.shape[0], rgb.shape[1])
    return None if face is None else face.points.tolist()


def _read_known(file: Path) -> dict[str, list[list[float]] | None]:
    try:
        return json.loads(file.read_text()) if file.exists() else {}
    except ValueError as error:
        raise CamproError(str(file), "cached landmarks", "a damaged file", "delete this file and run again") from error

"""The interface of face detectors, and the landmarks of many photographs, each computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Float

from campro.core.cache_file import is_finite, read_values, write_values
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import read_image
from campro.core.progress import Progress
from campro.core.types import ImageTransform, Rgb8

Scheme = Literal["five", "dlib"]
"""Which five landmarks a detector returns, left and right as in the image:
"five" = left and right pupil, tip of the nose, left and right corner of the mouth;
"dlib" = outer and inner corner of the right eye, outer and inner corner of the left eye, lower end of the nose."""
Interpolation = Literal["bilinear", "bicubic"]
Points = Float[np.ndarray, "5 2"]
"""Five landmarks (x, y) in pixels of the image, in the order of the scheme."""
SAVE_EVERY = 500
"""Number of photographs after which the landmarks are written to the cache."""


@dataclass(frozen=True)
class Face:
    """One detected face."""

    box: tuple[float, float, float, float]
    """(x0, y0, x1, y1) in pixels of the image."""
    score: float
    """Confidence on the scale of the detector; see `FaceDetector.confident_score`."""
    points: Points


class FaceDetector(Protocol):
    """Detects faces and their landmarks in an image."""

    name: str
    """Name in `FACE_DETECTORS` and in messages."""
    scheme: Scheme
    """Which landmarks the detector returns."""
    confident_score: float
    """Lowest score of a detection that counts as a face where false detections matter."""
    digest: str
    """Content hash of everything that decides the detections (weights, thresholds, versions); key of the cache."""

    def detect(self, rgb: Rgb8) -> list[Face]:
        """All faces of an 8-bit sRGB image (H, W, 3), in any order; the list is empty if there are none."""
        ...


@dataclass(frozen=True)
class Landmarks:
    """Five landmarks of the main face of each photograph."""

    scheme: Scheme
    digest: str
    """Content hash of the detector, and of the view unless it is the raw photograph."""
    found: dict[Path, Points]
    """Landmarks of each photograph with a detected face."""
    missed: tuple[Path, ...] = ()
    """Photographs without a detected face."""
    problems: tuple[str, ...] = field(default=())
    """One line for each photograph that could not be read."""
    interpolation: Interpolation = "bilinear"
    """Of crops from these photographs. Bicubic identifies up to 4 points more people in small photographs."""


def main_face(faces: Sequence[Face], height: int, width: int) -> Face | None:
    """The largest and most central face of an image of `height` x `width` pixels, or None if there is none.

    The area of the box is divided by 1 + d^2, where d is the distance of its centre from that of the image, in units
    of half the height or width.
    """

    def weight(face: Face) -> float:
        x0, y0, x1, y1 = face.box
        distance = np.hypot((x0 + x1 - width) / width, (y0 + y1 - height) / height)
        return max(x1 - x0, 0.0) * max(y1 - y0, 0.0) / (1 + distance**2)

    return max(faces, key=weight, default=None)


def find_landmarks(
    photos: Sequence[Path], detector: FaceDetector, cache: Path, view: ImageTransform | None = None
) -> Landmarks:
    """Landmarks of the main face of each photograph under `view` (raw if None).

    Landmarks are stored below `cache`, keyed by the content of the photograph. Photographs that cannot be read are
    listed in `problems`, those without a detected face in `missed`.

    Raises:
        CamproError: if a photograph is missing, or the cache file is damaged.
    """
    digest = detector.digest if view is None else json_digest([detector.digest, view.digest])
    file = cache / "landmarks" / f"{digest}.checked.json"
    known: dict[str, list[list[float]] | None] = read_values(file, "landmarks", are_points)
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
                write_values(file, known)
            progress.advance()
    found = {photo: np.array(points) for photo in photos if (points := known.get(contents[photo])) is not None}
    missed = tuple(photo for photo in photos if contents[photo] in known and known[contents[photo]] is None)
    return Landmarks(detector.scheme, digest, found, missed, tuple(problems))


def _points_of(photo: Path, detector: FaceDetector, view: ImageTransform | None) -> list[list[float]] | None:
    rgb = read_image(photo) if view is None else view(read_image(photo))
    face = main_face(detector.detect(rgb), rgb.shape[0], rgb.shape[1])
    return None if face is None else face.points.tolist()


def are_points(value: Any) -> bool:
    """Whether a cached value is None (no face was detected) or five finite points (x, y)."""
    return value is None or (
        isinstance(value, list)
        and len(value) == 5
        and all(isinstance(point, list) and len(point) == 2 and all(map(is_finite, point)) for point in value)
    )

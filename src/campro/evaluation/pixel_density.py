"""Faces at a distance: photographs shrunk to a pixel density in front of the camera.

A surveillance camera is planned in pixels per metre (px/m) of the scene at the place of the face. A photograph in which
the pupils are d pixels apart shows the face at d / 0.063 m. At a lower density rho the same face is seen by shrinking
the photograph by rho * 0.063 / d before it reaches the camera, so that profile, quantisation, noise and compression
act at the delivered size.

The model of the optics is an area average over the pixels of the photograph: a sharp lens in front of a sensor whose
pixels have no gaps. A real lens blurs more. Sources: IEC 62676-4:2025 and its edition of 2014 (levels); mean distance
of adult pupils 63 mm (N. A. Dodgson, Proc. SPIE 5291, 2004).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from campro.core.cache_file import read_values, write_values
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import read_image, write_image
from campro.core.progress import track
from campro.core.types import Rgb8
from campro.data.faces import FaceSet
from campro.evaluation.evaluation_set import EvaluationSet
from campro.models.faces.landmarks import Landmarks, Points, Scheme, are_points

PUPIL_DISTANCE = 0.063
"""Metres between the pupils of an adult."""
LEVELS = {
    "overview": 20.0,
    "outline": 40.0,
    "discern": 80.0,
    "perceive": 125.0,
    "characterise": 250.0,
    "validate": 500.0,
    "scrutinise": 1500.0,
}
"""Pixels per metre by the names of IEC 62676-4:2025."""
SMALLEST = 8
"""Least height and width in pixels of a shrunk photograph."""
_EYES: dict[Scheme, tuple[tuple[int, ...], tuple[int, ...]]] = {"five": ((0,), (1,)), "dlib": ((0, 1), (2, 3))}
"""Landmarks whose mean is one eye, and those of the other one."""


@dataclass(frozen=True, eq=False)
class DistantFaces:
    """Photographs of faces as they are at one pixel density: files in the cache folder."""

    density: float
    """In px/m."""
    copies: Mapping[Path, Path]
    """The shrunk file of each photograph."""
    landmarks: Landmarks
    """Of the shrunk files."""
    left_out: tuple[Path, ...]
    """Photographs whose own density is lower, which cannot be enlarged honestly; or that would be below 8 pixels."""


def level_name(density: float) -> str:
    """The density with the level of IEC 62676-4:2025 that it reaches exactly, if there is one.

    >>> level_name(125), level_name(62.5)
    ('125 px/m (perceive)', '62.5 px/m')
    """
    names = [name for name, least in LEVELS.items() if least == density]
    return f"{density:g} px/m" + (f" ({names[0]})" if names else "")


def pupil_distance(points: Points, scheme: Scheme) -> float:
    """Distance of the eyes in pixels: of the pupils, or of the middles between the corners of each eye.

    >>> pupil_distance(np.array([[0, 0], [3, 4], [0, 0], [0, 0], [0, 0]]), "five")
    5.0
    """
    one, other = (points[list(rows)].mean(0) for rows in _EYES[scheme])
    return float(np.hypot(*(other - one)))


def density_of(points: Points, scheme: Scheme) -> float:
    """Pixel density in px/m at the place of a face with these landmarks."""
    return pupil_distance(points, scheme) / PUPIL_DISTANCE


def shrink(rgb: Rgb8, ratio: float) -> Rgb8:
    """An image shrunk by an area average to `ratio` of its height and width, rounded to whole pixels.

    Raises:
        CamproError: for a ratio that is not in (0, 1], or a result below 8 pixels.
    """
    height, width = (round(side * ratio) for side in rgb.shape[:2])
    if not 0 < ratio <= 1 or min(height, width) < SMALLEST:
        wanted = f"a ratio in (0, 1] that leaves {SMALLEST} x {SMALLEST} pixels"
        raise CamproError("shrink", wanted, f"{ratio:g} of {rgb.shape[1]} x {rgb.shape[0]}")
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def distant_faces(photos: Sequence[Path], landmarks: Landmarks, density: float, cache: Path) -> DistantFaces:
    """Photographs shrunk so that their main face has this pixel density.

    The files are lossless, lie below `cache`, and are named by the contents of photograph and landmarks: each is made
    once. See `DistantFaces.left_out` for photographs without a copy.

    Args:
        photos: keys of `landmarks.found`.
        landmarks: of the photographs.
        density: in px/m.
        cache: folder of intermediate results; a read-only one cannot be used.

    Raises:
        CamproError: for a density that is not positive, no photograph of that density, or an unreadable photograph.
    """
    if not density > 0:
        raise CamproError("pixel density", "a positive number of px/m", f"{density:g}")
    ratios = {photo: density / density_of(landmarks.found[photo], landmarks.scheme) for photo in photos}
    seen = [photo for photo in photos if ratios[photo] <= 1]
    if not seen:
        highest = max((density / ratio for ratio in ratios.values()), default=0)
        got = f"at most {highest:.0f} px/m"
        raise CamproError("pixel density", f"photographs of {density:g} px/m", got, "lower --densities")
    digest = json_digest([landmarks.digest, "pixel density", density, "bicubic"])
    folder = cache / "pixel-density" / digest[:16]
    index = folder / "landmarks.checked.json"
    known: dict[str, list[list[float]]] = read_values(index, "landmarks of shrunk photographs", are_points)
    copies, found = {}, {}
    for photo in track(seen, f"shrink to {density:g} px/m"):
        name = file_sha256(photo)
        copies[photo] = copy = folder / f"{name}.png"
        if name not in known or not copy.exists():
            rgb = read_image(photo)
            if min(rgb.shape[:2]) * ratios[photo] < SMALLEST + 0.5:
                del copies[photo]
                continue
            small = shrink(rgb, ratios[photo])
            write_image(copy, small)
            known[name] = scaled(landmarks.found[photo], rgb, small).tolist()
        found[copy] = np.array(known[name])
    write_values(index, known)
    left_out = tuple(photo for photo in photos if photo not in copies)
    return DistantFaces(density, copies, Landmarks(landmarks.scheme, digest, found, interpolation="bicubic"), left_out)


def scaled(points: Points, rgb: Rgb8, small: Rgb8) -> Points:
    """Landmarks of `rgb` in `small`, the same picture with other numbers of pixels; (x, y) are centres of pixels."""
    return (points + 0.5) * (small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0]) - 0.5


def at_density(evaluation: EvaluationSet, density: float, cache: Path) -> EvaluationSet:
    """The photographs of an evaluation as they are at one pixel density, with the full-size ones as `original`.

    Photographs of a lower density, and people of whom less than two photographs remain, are left out of both.

    Raises:
        CamproError: see `distant_faces`; where nobody has two photographs of that density.
    """
    distant = distant_faces(evaluation.photos, evaluation.landmarks, density, cache)
    found = {photo: evaluation.landmarks.found[photo] for photo in distant.copies}
    near = EvaluationSet.of(
        evaluation.faces, replace(evaluation.landmarks, found=found), evaluation.repeats, evaluation.seed
    )
    people = {name: tuple(distant.copies[p] for p in photos) for name, photos in near.faces.identities.items()}
    copies = FaceSet(f"{near.faces.name} at {density:g} px/m", near.faces.root, people)
    return replace(near, faces=copies, landmarks=distant.landmarks, original=near)

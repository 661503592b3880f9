"""How many pixels a metre has at the face of a picture, from the distance of the eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from campro.core.types import Rgb8
from campro.models.faces import FaceDetector
from campro.models.faces.landmarks import Points, Scheme, main_face

EYE_DISTANCE = 0.063
"""Mean distance of the pupils of adults in metres. Source: Dodgson, Proc. SPIE 5291 (2004): 63 mm."""
EYES: dict[Scheme, tuple[tuple[int, ...], tuple[int, ...]]] = {"five": ((0,), (1,)), "dlib": ((0, 1), (2, 3))}
"""The landmarks whose mean is the centre of each eye."""
PURPOSES = ((1000, "inspect"), (250, "identify"), (125, "recognise"), (62, "observe"), (25, "detect"), (12, "monitor"))
"""Pixel densities in px/m from which on a picture serves a purpose. Source: IEC 62676-4:2014, for raw pictures."""


@dataclass(frozen=True)
class FaceScale:
    """The main face of a picture."""

    eye_distance: float
    """In pixels."""

    @property
    def density(self) -> float:
        """Pixel density at the face in px/m."""
        return self.eye_distance / EYE_DISTANCE


def face_scale(rgb: Rgb8, detector: FaceDetector) -> FaceScale | None:
    """The scale of the main face; None where none is found."""
    faces = [face for face in detector.detect(rgb) if face.score >= detector.confident_score]
    face = main_face(faces, *rgb.shape[:2])
    return None if face is None else FaceScale(eye_distance(face.points, detector.scheme))


def eye_distance(points: Points, scheme: Scheme) -> float:
    """Distance of the centres of the eyes in pixels.

    >>> eye_distance(np.array([(0.0, 0), (3, 4), (0, 0), (0, 0), (0, 0)]), "five")
    5.0
    """
    left, right = (points[list(indices)].mean(0) for indices in EYES[scheme])
    return float(np.linalg.norm(left - right))

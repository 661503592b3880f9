"""Skin tone: the individual typology angle of the cheeks in raw photographs.

A colour correction matrix changes skin colours first, so results are reported by skin tone (ISO/IEC 19795-10). If no
labels exist, the angle is measured; unknown illumination and unknown cameras make it a coarse measure.
Source: Chardon et al., Int. J. Cosmetic Science 13 (1991); classes: Del Bino and Bernerd, Brit. J. Dermatology 169
(2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from skimage.color import rgb2lab
from torch import Tensor

from campro.core.types import Rgb8
from campro.models.faces.embedder_card import EmbedderCard
from campro.models.faces.embedding import crop_photos
from campro.models.faces.landmarks import Landmarks

CLASSES = (
    ("very light", 55.0),
    ("light", 41.0),
    ("intermediate", 28.0),
    ("tan", 10.0),
    ("brown", -30.0),
    ("dark", -90.0),
)
"""Name and lower bound (exclusive) of each class, in degrees; -90 is the smallest angle possible."""
CARD = EmbedderCard("skin tone", (112, 112), 1, 0.0, 1.0, "arcface-112")
"""The crops that CHEEKS refers to."""
CHEEKS = ((slice(66, 80), slice(28, 42)), (slice(66, 80), slice(70, 84)))
"""Rows and columns of both cheeks in a crop: between eyes (row 52), nose (column 56) and mouth (row 92)."""


def typology_angle(crop: Rgb8) -> float:
    """arctan((L* - 50) / b*) in degrees of the median CIELAB colour of both cheeks; white is 90, black is -90.

    `crop` is an aligned 8-bit sRGB crop (112, 112, 3) of the template "arcface-112".

    >>> import numpy as np
    >>> round(typology_angle(np.full((112, 112, 3), 255, np.uint8)))
    90
    """
    pixels = np.concatenate([crop[cheek].reshape(-1, 3) for cheek in CHEEKS])
    lightness, _, yellow = np.median(rgb2lab(pixels / 255), axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-3))))


def skin_class(angle: float) -> str:
    """Name of the class of an angle in degrees.

    >>> skin_class(30.0), skin_class(-90.0)
    ('intermediate', 'dark')
    """
    return next((name for name, bound in CLASSES if angle > bound), CLASSES[-1][0])


def typology_angles(photos: Sequence[Path], landmarks: Landmarks) -> Float[np.ndarray, " N"]:
    """Typology angle in degrees of the main face of each raw photograph.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    return np.array([typology_angle(crop) for crop in crop_photos(photos, landmarks, CARD)])


def subjects_by_class(angles: Float[np.ndarray, " N"], subjects: Int[Tensor, " N"]) -> dict[str, Int[Tensor, " P"]]:
    """Indices of the subjects of each class that occurs, lightest class first.

    The class of a subject is that of the median angle of the subject's photographs. `subjects[i]` is the index of the
    subject in photograph i, from 0.

    >>> groups = subjects_by_class(np.array([60.0, 45.0, 42.0, -40.0, 50.0]), torch.tensor([0, 0, 0, 1, 2]))
    >>> {name: people.tolist() for name, people in groups.items()}
    {'light': [0, 2], 'dark': [1]}
    """
    index = subjects.numpy()
    count = int(subjects.max()) + 1
    classes = [skin_class(float(np.median(angles[index == subject]))) for subject in range(count)]
    groups = {name: [subject for subject in range(count) if classes[subject] == name] for name, _ in CLASSES}
    return {name: torch.tensor(members) for name, members in groups.items() if members}

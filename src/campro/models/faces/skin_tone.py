"""How light a face's skin is: the individual typology angle of the cheeks in raw photographs.

A colour matrix acts on skin first, so figures must be looked at by skin tone (ISO/IEC 19795-10). Where nobody has
labelled people, the angle is measured; unknown light and cameras make it coarse.
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
"""Names, and the angle above which a skin is of that class, in degrees; -90 is the least there is."""
CARD = EmbedderCard("skin tone", (112, 112), 1, 0.0, 1.0, "arcface-112")
CHEEKS = ((slice(66, 80), slice(28, 42)), (slice(66, 80), slice(70, 84)))
"""Rows and columns of a crop between the eyes (row 52), the nose (column 56) and the corners of the mouth (row 92)."""


def typology_angle(crop: Rgb8) -> float:
    """arctan((L* - 50) / b*) in degrees, of the median colour of both cheeks; 90 is white, -90 black.

    >>> import numpy as np
    >>> round(typology_angle(np.full((112, 112, 3), 255, np.uint8)))
    90
    """
    pixels = np.concatenate([crop[cheek].reshape(-1, 3) for cheek in CHEEKS])
    lightness, _, yellow = np.median(rgb2lab(pixels / 255), axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-3))))


def skin_class(angle: float) -> str:
    """Name of the class of an angle.

    >>> skin_class(30.0), skin_class(-90.0)
    ('intermediate', 'dark')
    """
    return next((name for name, above in CLASSES if angle > above), CLASSES[-1][0])


def typology_angles(photos: Sequence[Path], landmarks: Landmarks) -> Float[np.ndarray, " N"]:
    """The angle of the face in each raw photograph."""
    return np.array([typology_angle(crop) for crop in crop_photos(photos, landmarks, CARD)])


def subjects_by_class(angles: Float[np.ndarray, " N"], owner: Int[Tensor, " N"]) -> dict[str, Int[Tensor, " P"]]:
    """The people of each class that anybody is of, lightest first, by the median angle of a person's photographs.

    `owner[i]` is whom photograph `i` shows, numbered from 0.

    >>> groups = subjects_by_class(np.array([60.0, 45.0, 42.0, -40.0, 50.0]), torch.tensor([0, 0, 0, 1, 2]))
    >>> {name: people.tolist() for name, people in groups.items()}
    {'light': [0, 2], 'dark': [1]}
    """
    whose = owner.numpy()
    classes = [skin_class(float(np.median(angles[whose == who]))) for who in range(int(owner.max()) + 1)]
    groups = {name: [who for who, one in enumerate(classes) if one == name] for name, _ in CLASSES}
    return {name: torch.tensor(people) for name, people in groups.items() if people}

"""Pictures that the page offers: photographs of Python packages, and synthetic faces of the embedded model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from campro.core.errors import CamproError
from campro.core.types import Rgb8
from campro.data.facemodel import FaceModel
from campro.data.photographs import PHOTOGRAPHS

SEED = 38
"""Of the synthetic people."""


@dataclass(frozen=True)
class BundledPicture:
    """One picture."""

    label: str
    read: Callable[[], Rgb8]
    faces: bool
    """Whether it is of use in a comparison of faces."""


def _synthetic(person: int, picture: int) -> Rgb8:
    return _people()[person][picture]


@lru_cache
def _people() -> list[list[Rgb8]]:
    """Two pictures of each of two synthetic people."""
    return [list(pictures) for pictures in FaceModel.load().sample(2, 2, SEED)]


def _photograph(name: str, label: str, faces: bool) -> BundledPicture:
    return BundledPicture(f"{label} ({PHOTOGRAPHS[name].source})", PHOTOGRAPHS[name].read, faces)


BUNDLED: Mapping[str, BundledPicture] = {
    "astronaut": _photograph("astronaut", "Astronaut", True),
    "hopper": _photograph("hopper", "Officer", True),
    "coffee": _photograph("coffee", "Coffee", False),
    "cat": _photograph("cat", "Cat", False),
    "rocket": _photograph("rocket", "Rocket", False),
    "synthetic-a1": BundledPicture("Synthetic person A, picture 1", partial(_synthetic, 0, 0), True),
    "synthetic-a2": BundledPicture("Synthetic person A, picture 2", partial(_synthetic, 0, 1), True),
    "synthetic-b1": BundledPicture("Synthetic person B, picture 1", partial(_synthetic, 1, 0), True),
}
"""Name -> picture."""


def bundled_picture(name: str) -> Rgb8:
    """A bundled picture by its name.

    Raises:
        CamproError: If there is no such picture, or its package lacks the file.
    """
    if name not in BUNDLED:
        raise CamproError("picture", f"one of {', '.join(BUNDLED)}", repr(name)[:60])
    return BUNDLED[name].read()

"""Photographs in CamPro's dependencies, of which the embedded scenes are made.

The table contains the file in the package, its author and licence, and outlines of the people, drawn by hand.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from PIL import Image, ImageDraw

from campro.core.errors import CamproError
from campro.core.types import Rgb8

Outline = tuple[tuple[int, int], ...]
"""Vertices (x, y) in pixels of a polygon around a person."""


@dataclass(frozen=True)
class Photograph:
    """An image file of an installed package. `people` are outlines of all persons in it."""

    package: str
    file: str
    licence: str
    source: str
    people: tuple[Outline, ...] = ()

    @property
    def path(self) -> Path:
        """Path of the file; the package is not imported.

        Raises:
            CamproError: if the package or the file is missing.
        """
        spec = importlib.util.find_spec(self.package)
        path = Path(spec.origin).parent / self.file if spec and spec.origin else Path(self.file)
        if not path.is_file():
            raise CamproError(
                f"photograph {self.file}",
                f"this file inside the package {self.package}",
                "no such file",
                f"reinstall {self.package} from its wheel (some distributions remove sample images)",
            )
        return path

    def read(self) -> Rgb8:
        """The image as 8-bit sRGB (H, W, 3); gray ones get three equal channels."""
        with Image.open(self.path) as image:
            return np.array(image.convert("RGB"))

    def masks(self) -> list[Bool[np.ndarray, "H W"]]:
        """A mask (H, W) of each person."""
        with Image.open(self.path) as image:
            size = image.size
        return [_filled(outline, size) for outline in self.people]


def _filled(outline: Outline, size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    mask = Image.new("1", size)
    ImageDraw.Draw(mask).polygon(outline, fill=1)
    return np.array(mask)


# fmt: off
_ASTRONAUT: Outline = (
    (22, 511), (18, 440), (38, 300), (62, 245), (108, 208), (116, 185), (132, 160), (160, 150), (183, 150), (178, 125),
    (160, 112), (152, 85), (160, 55), (185, 25), (215, 12), (250, 15), (285, 38), (301, 75), (298, 112), (278, 130),
    (266, 138), (258, 178), (290, 200), (304, 240), (340, 258), (356, 300), (363, 350), (330, 355), (300, 385),
    (285, 420), (280, 470), (300, 511),
)
_CAMERAMAN: Outline = (
    (0, 511), (0, 262), (20, 241), (48, 200), (70, 160), (100, 128), (150, 112), (162, 104), (170, 85), (185, 72),
    (212, 63), (245, 70), (268, 95), (270, 128), (262, 150), (300, 145), (322, 175), (335, 185), (333, 210), (305, 240),
    (304, 270), (288, 288), (268, 305), (247, 312), (220, 302), (207, 293), (180, 330), (160, 355), (140, 380),
    (147, 420), (151, 511), (139, 511), (125, 475), (99, 446), (90, 511),
)
_HOPPER: Outline = (
    (10, 599), (15, 520), (40, 400), (100, 362), (170, 335), (200, 315), (203, 300), (165, 275), (158, 240), (158, 200),
    (165, 170), (152, 140), (150, 115), (170, 90), (180, 50), (215, 30), (270, 22), (320, 35), (355, 85), (370, 90),
    (372, 145), (362, 160), (376, 190), (362, 245), (350, 290), (330, 310), (330, 325), (380, 350), (470, 380),
    (500, 420), (511, 470), (511, 599),
)
# fmt: on

PHOTOGRAPHS: dict[str, Photograph] = {
    "astronaut": Photograph("skimage", "data/astronaut.png", "public domain", "NASA, Eileen Collins", (_ASTRONAUT,)),
    "cameraman": Photograph("skimage", "data/camera.png", "CC0-1.0", "Lav Varshney", (_CAMERAMAN,)),
    "hopper": Photograph(
        "matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "public domain", "US Navy, Grace Hopper", (_HOPPER,)
    ),
    "brick": Photograph("skimage", "data/brick.png", "CC0-1.0", "CC0Textures, Bricks25"),
    "grass": Photograph("skimage", "data/grass.png", "CC0-1.0", "linolafett"),
    "gravel": Photograph("skimage", "data/gravel.png", "CC0-1.0", "CC0Textures, Gravel04"),
    "coffee": Photograph("skimage", "data/coffee.png", "CC0-1.0", "Rachel Michetti"),
    "cat": Photograph("skimage", "data/chelsea.png", "CC0-1.0", "Stefan van der Walt"),
    "rocket": Photograph("skimage", "data/rocket.jpg", "public domain", "SpaceX"),
}

"""From pixels per metre to metres: the field of view of a camera."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from campro.core.errors import CamproError

MILLIMETRES = r"(\d+(?:\.\d+)?) ?(?:mm)?"


@dataclass(frozen=True)
class FieldOfView:
    """A camera without distortion: a target in the middle of the picture, on a plane that faces the camera.

    Towards the border of the picture a real wide-angle lens has fewer pixels per metre than this.
    """

    width: int
    """Of the delivered picture, in pixels."""
    height: int | None
    """In pixels; distances do not depend on it, so it may be unknown."""
    hfov: float
    """Horizontal angle of view in degrees."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height == 0:
            raise CamproError("--sensor", "WIDTHxHEIGHT in pixels", f"{self.width}x{self.height}")
        if not 0 < self.hfov < 180:
            raise CamproError("--hfov", "an angle between 0 and 180 degrees", f"{self.hfov:g}")

    @staticmethod
    def of(sensor: str, hfov: float | None, lens: str | None, sensor_width: str | None) -> FieldOfView:
        """From options: the angle, or the focal length and the width of the sensor, which give it.

        Raises:
            CamproError: for texts of another form, or neither.

        >>> round(FieldOfView.of("1920x1080", None, "4mm", "5.6mm").hfov, 1)
        70.0
        >>> print(FieldOfView.of("1920", 70, None, None))
        1920 pixels across, 70 degrees
        """
        size = re.fullmatch(r"(\d{1,6})(?:x(\d{1,6}))?", sensor)
        if size is None:
            raise CamproError("--sensor", "WIDTHxHEIGHT or WIDTH in pixels, as in 1920x1080", repr(sensor))
        if hfov is None:
            if lens is None or sensor_width is None:
                raise CamproError("range", "--hfov DEGREES, or --lens and --sensor-width", "neither")
            focal, wide = _millimetres("--lens", lens), _millimetres("--sensor-width", sensor_width)
            hfov = math.degrees(2 * math.atan(wide / (2 * focal)))
        return FieldOfView(int(size[1]), None if size[2] is None else int(size[2]), hfov)

    def distance(self, density: float) -> float:
        """Distance in metres at which the camera has `density` px/m.

        >>> round(FieldOfView(1920, 1080, 90).distance(125), 2)
        7.68
        """
        return self.width / (2 * density * math.tan(math.radians(self.hfov / 2)))

    def __str__(self) -> str:
        size = f"{self.width} x {self.height}" if self.height else f"{self.width} pixels across"
        return f"{size}, {self.hfov:.0f} degrees"


DOME = FieldOfView(1920, 1080, 70.0)
"""Example of the report: a 1080p dome camera, 1/2.8 inch (5.6 mm wide), 4 mm lens."""


def _millimetres(option: str, text: str) -> float:
    found = re.fullmatch(MILLIMETRES, text)
    if found is None or float(found[1]) <= 0:
        raise CamproError(option, "a length in millimetres, as in 4mm", repr(text))
    return float(found[1])

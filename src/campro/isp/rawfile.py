"""Raw files of real cameras (DNG and other formats that LibRaw reads), developed with a profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from campro.core.errors import CamproError
from campro.core.extras import require
from campro.core.types import Rgb8
from campro.isp.profile import IspProfile
from campro.isp.raw import RawCamera, Sensor

SRGB_TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                        [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
"""IEC 61966-2-1, linear light, D65."""
SINGULAR = 1e-9
"""A matrix whose determinant is smaller is treated as missing."""
TURNS = {0: 0, 3: 2, 5: 1, 6: 3}
"""LibRaw's `flip` to quarter turns, counter-clockwise, that make the picture upright."""

Mosaic = Float[np.ndarray, "H W"]


def develop_file(path: Path, profile: IspProfile) -> Rgb8:
    """The picture of a raw file as a camera with the profile would output it, upright.

    A profile without blocks gives the picture of the camera without a profile.

    Raises:
        CamproError: if rawpy is not installed, or the file has no 2 x 2 mosaic of red, green and blue.
    """
    mosaic, sensor, turns = read_raw(path)
    return np.ascontiguousarray(np.rot90(RawCamera(profile, sensor).develop(mosaic), turns))


def read_raw(path: Path) -> tuple[Mosaic, Sensor, int]:
    """The RGGB mosaic in [0, 1], the camera's matrix and white balance, and the quarter turns that make it upright.

    Raises:
        CamproError: as `develop_file`.
    """
    rawpy = require("rawpy", "raw", str(path))
    try:
        with rawpy.imread(str(path)) as raw:
            return _read(raw, path)
    except (rawpy.LibRawError, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise CamproError(str(path), "a raw file of a camera", reason) from error


def _read(raw: Any, path: Path) -> tuple[Mosaic, Sensor, int]:
    pattern = raw.raw_pattern
    if pattern is None or pattern.shape != (2, 2) or raw.num_colors != 3 or raw.color_desc != b"RGBG":
        raise CamproError(str(path), "a mosaic of red, green and blue, 2 x 2", f"{raw.color_desc.decode()} mosaic")
    counts = raw.raw_image_visible.astype(float)
    black = np.array(raw.black_level_per_channel, float)[pattern]
    rows, columns = (np.arange(length) % 2 for length in counts.shape)
    floor = black[np.ix_(rows, columns)]
    light = ((counts - floor) / (raw.white_level - floor)).clip(0, 1)
    row, column = np.argwhere(pattern == 0)[0]
    height, width = ((length - start) // 2 * 2 for length, start in zip(light.shape, (row, column)))
    upright = light[row : row + height, column : column + width]
    red, green, blue = _white_balance(raw)
    matrix = np.array(raw.color_matrix, float)[:, :3]
    if abs(np.linalg.det(matrix)) < SINGULAR:
        matrix = _from_xyz(np.array(raw.rgb_xyz_matrix, float)[:3])
    sensor = Sensor(matrix=tuple(tuple(line) for line in matrix.tolist()), gains=(red / green, blue / green))
    return upright, sensor, TURNS.get(raw.sizes.flip, 0)


def _white_balance(raw: Any) -> tuple[float, float, float]:
    """Gains of red, green and blue that the camera measured; if it did not, those for daylight, or 1."""
    for gains in (raw.camera_whitebalance, raw.daylight_whitebalance):
        if min(gains[:3]) > 0:
            return float(gains[0]), float(gains[1]), float(gains[2])
    return 1.0, 1.0, 1.0


def _from_xyz(xyz_to_camera: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """White-balanced sensor RGB to linear sRGB, from the matrix XYZ to sensor RGB; rows sum to 1."""
    if abs(np.linalg.det(xyz_to_camera)) < SINGULAR:
        return np.eye(3)  # no matrix at all: assume that the sensor's colours are linear sRGB
    from_srgb = xyz_to_camera @ SRGB_TO_XYZ
    return np.asarray(np.linalg.inv(from_srgb / from_srgb.sum(1, keepdims=True)))

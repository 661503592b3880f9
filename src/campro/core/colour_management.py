"""Conversion of photographs with an ICC profile to sRGB, and the sRGB profile that written files carry."""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageCms

from campro.core.errors import CamproError

SRGB_TOLERANCE = 2
"""Largest difference in levels, over a grid of colours, up to which a profile is sRGB: makers round its curve
differently. The values of such pictures are not changed."""
GRID = 17
"""Levels of each channel in that grid."""
D65_XY, D50_XYZ = (0.3127, 0.3290), (0.9642, 1.0, 0.8249)
"""White points: chromaticity of IEC 61966-2-1; tristimulus values of the profile connection space (ICC.1, 7.2.16)."""
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""Cone responses of the chromatic adaptation that ICC.1, annex E, recommends."""
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""g, a, b, c, d of the parametric curve of type 3 (ICC.1, 10.18)."""
PRIMARIES = {
    "sRGB": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "Display P3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "BT.2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
"""Chromaticities of red, green and blue, with D65 white. Sources: IEC 61966-2-1, SMPTE EG 432-1, Adobe RGB (1998),
ITU-R BT.2020."""
ADOBE_GAMMA = 563 / 256
H273_PRIMARIES = {9: "BT.2020", 12: "Display P3"}
"""Names of wide primaries by their code points in ITU-T H.273."""
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
"""Names of HDR transfer functions by their code points in ITU-T H.273."""


def to_srgb(image: Image.Image, icc: bytes, path: Path) -> Image.Image:
    """The picture in sRGB, mode RGB, converted from the ICC profile with relative colorimetric intent.

    `image` has mode L, RGB or CMYK. The values stay the same if the profile is sRGB within SRGB_TOLERANCE.

    Raises:
        CamproError: if the profile is damaged, or of another kind of colours than the picture.
    """
    try:
        space = _profile(icc).profile.xcolor_space.strip()
        mode = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}.get(space)
        if mode == "RGB" and image.mode == "L":
            image = image.convert("RGB")  # gray picture with a profile of an RGB space: three equal channels
        if mode != image.mode:
            raise CamproError(str(path), f"an ICC profile for {image.mode} pictures", f"one for {space}", _REMEDY)
        if mode == "RGB" and _is_srgb(icc):
            return image
        converted = ImageCms.applyTransform(image, _transform(icc, mode))
    except (ImageCms.PyCMSError, OSError, ValueError, AttributeError) as error:
        if isinstance(error, CamproError):
            raise
        reason = " ".join(str(error).split())[:120]
        raise CamproError(str(path), "a valid ICC profile", f"a damaged one ({reason})", _REMEDY) from error
    assert converted is not None  # None only for conversions in place
    return converted


_REMEDY = "remove it, e.g. magick IN +profile icc OUT, or convert to sRGB in a photo editor"


@lru_cache
def rgb_profile(name: str) -> bytes:
    """The ICC profile (version 2.4, a matrix and a curve) of an RGB space in PRIMARIES; the same bytes at each call.

    The curve is that of sRGB, except for Adobe RGB.
    """
    curve = (ADOBE_GAMMA,) if name == "Adobe RGB" else SRGB_CURVE
    matrix = _to_pcs(PRIMARIES[name])
    channels = {tag: _xyz(column) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True)}
    curves = {tag: _curve(curve) for tag in (b"rTRC", b"gTRC", b"bTRC")}
    text = {b"desc": _description(name), b"cprt": b"text\0\0\0\0CC0\0"}
    return _assembled({**text, b"wtpt": _xyz(np.array(D50_XYZ)), **channels, **curves})


def _profile(icc: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(icc))


@lru_cache(maxsize=64)
def _transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(_profile(icc), srgb, mode, "RGB", intent, ImageCms.Flags.BLACKPOINTCOMPENSATION)


@lru_cache(maxsize=64)
def _is_srgb(icc: bytes) -> bool:
    levels = np.linspace(0, 255, GRID).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    converted = ImageCms.applyTransform(Image.fromarray(grid), _transform(icc, "RGB"))
    return bool(np.abs(np.asarray(converted).astype(int) - grid).max() <= SRGB_TOLERANCE)


def _to_pcs(primaries: tuple[tuple[float, float], ...]) -> Float[np.ndarray, "3 3"]:
    """Linear RGB with D65 white to XYZ with D50 white; one column per channel."""
    columns = np.array([_xyz_of(xy) for xy in primaries]).T
    white = _xyz_of(D65_XY)
    matrix = columns * np.linalg.solve(columns, white)
    gain = np.diag(BRADFORD @ np.array(D50_XYZ) / (BRADFORD @ white))
    return np.asarray(np.linalg.inv(BRADFORD) @ gain @ BRADFORD @ matrix)


def _xyz_of(xy: tuple[float, float]) -> Float[np.ndarray, "3"]:
    return np.array([xy[0] / xy[1], 1.0, (1 - xy[0] - xy[1]) / xy[1]])


def _fixed(value: float) -> bytes:
    """A number of type s15Fixed16."""
    return struct.pack(">i", round(value * 65536))


def _xyz(values: Float[np.ndarray, "3"]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _curve(numbers: tuple[float, ...]) -> bytes:
    """A parametric curve of type 0 (one number, gamma) or 3 (five numbers)."""
    kind = {1: 0, 5: 3}[len(numbers)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(_fixed, numbers))


def _description(name: str) -> bytes:
    text = name.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)


def _assembled(tags: dict[bytes, bytes]) -> bytes:
    """Header, tag table and tags (ICC.1, 7); the date is fixed, so that the same picture gives the same file."""
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    date = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += date + b"acsp" + bytes(28) + b"".join(map(_fixed, D50_XYZ)) + bytes(48)
    return head + table + body

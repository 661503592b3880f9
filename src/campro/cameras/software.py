"""Cameras whose pictures are processed in software: FFmpeg filters, .cube tables, and a NumPy function.

Sources: FFmpeg filters `lut1d`, `lut3d`, `colorchannelmixer`; the .cube format of Adobe, Cube LUT Specification 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, UInt32

from campro.cameras.target_camera import Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits
from campro.isp.limits import Grid, Limits, camera_profile, parts
from campro.isp.linear_light import linear_levels
from campro.isp.profile import Ccm, Degamma, GammaLut, IspProfile

SIZES = (17, 33, 65, 129)
"""Nodes per axis of a 3D table, smallest first."""
LARGEST_ERROR = 4
"""Largest error of a 3D table in 8-bit levels; if every size exceeds it, no table is written."""
DEEP = 16
"""Bit depth between the filters."""
WHITE = 255 * 256 / 65535
"""White after FFmpeg's conversion from 8 to 16 bit, which shifts: level L becomes 256 L of 65535."""
DENSE = 4096
"""Points to which a curve with unevenly spaced knots is resampled; FFmpeg's are evenly spaced."""


class Software(TargetCamera):
    """A chain of FFmpeg filters, exact up to rounding; a 3D table if one is accurate enough; a NumPy function."""

    name = "software"
    title = "FFmpeg, OpenCV, NumPy; .cube tables"
    page = "software"
    limits = Limits(
        source="FFmpeg vf_colorchannelmixer: coefficients from -2 to 2; vf_lut1d",
        matrix=Grid(-2.0, 2.0, 1e-6),
        curve=CurveLimits(levels=10**6),
        channels=3,
    )
    TO_LINEAR, TO_PICTURE, TABLE, FFMPEG, NUMPY = (
        "linear.cube",
        "curve.cube",
        "profile.cube",
        "ffmpeg.txt",
        "profile.py",
    )

    def write(self, profile: IspProfile, base: str) -> Files:
        """See `TargetCamera.write`."""
        ccm, lut = parts(profile)
        first = profile.blocks[0]
        assert isinstance(first, Degamma)
        linear = linear_levels(first.curve)
        by_shift = np.append(linear, 1.0)  # one point for each level L, at 256 L of 65536
        even = np.linspace(0, 1, len(lut.positions) if lut.knots is None else DENSE)
        values = np.stack([np.interp(even, lut.positions, curve) for curve in lut.values], -1)
        files = {
            self.TO_LINEAR: _cube_1d(by_shift, "8-bit sRGB, shifted to 16 bit, to linear light"),
            self.TO_PICTURE: _cube_1d(values * WHITE, "the profile's gamma curve, to be shifted to 8 bit"),
            self.FFMPEG: self._chain(ccm) + "\n",
            self.NUMPY: _numpy(ccm, lut, linear),
        }
        if (size := smallest_table(profile)) is not None:
            files[self.TABLE] = _cube_3d(profile, size)
            files[self.FFMPEG] += f"lut3d=file={self.TABLE}:interp=trilinear\n"
        return files

    def _chain(self, ccm: Ccm) -> str:
        """FFmpeg's filters: to linear light, matrix, gamma curve."""
        names = [f"{out}{source}" for out in "rgb" for source in "rgb"]
        mixer = ":".join(f"{name}={value:.6f}" for name, value in zip(names, np.ravel(ccm.matrix)))
        deep = f"format=gbrp{DEEP}le"
        return (
            f"{deep},lut1d=file={self.TO_LINEAR}:interp=linear,colorchannelmixer={mixer},"
            f"lut1d=file={self.TO_PICTURE}:interp=linear,format=gbrp"
        )

    def read(self, files: Files, base: str) -> IspProfile:
        """See `TargetCamera.read`.

        Raises:
            CamproError: If the files are not those that `write` makes.
        """
        linear, curve = (_read_cube_1d(files[name], name) for name in (self.TO_LINEAR, self.TO_PICTURE))
        try:
            chain = files[self.FFMPEG].splitlines()[0]
            filters = dict(part.split("=", 1) for part in chain.split(",") if "=" in part)
            entries = dict(word.split("=") for word in filters["colorchannelmixer"].split(":"))
            matrix = tuple(tuple(float(entries[f"{out}{source}"]) for source in "rgb") for out in "rgb")
        except (KeyError, ValueError, IndexError) as error:
            raise CamproError(self.FFMPEG, "a filter chain that campro wrote", str(error)[:80]) from error
        exact = np.abs(linear[:256, 0] - (np.arange(256) / 255) ** 2.2).max() < 1e-5
        lut = GammaLut(tuple(tuple(channel) for channel in (curve.T / WHITE).clip(0, 1).tolist()))
        start = Degamma("power-2.2" if exact else "srgb")
        return camera_profile("software files", Ccm(matrix), lut, start)


def smallest_table(profile: IspProfile) -> int | None:
    """Nodes per axis of the smallest 3D table within `LARGEST_ERROR` for all 2^24 colours; None if there is none."""
    from campro.isp.lookup import colour_table  # slow to import

    exact = colour_table(profile.blocks)
    return next((size for size in SIZES if table_error(exact, size) <= LARGEST_ERROR), None)


def table_error(exact: UInt32[np.ndarray, "16777216"], size: int) -> int:
    """Largest error of a trilinear table in 8-bit levels.

    Args:
        exact: Exact output of each colour, packed as 0xRRGGBB.
        size: Nodes per axis.
    """
    place = np.arange(256) * (size - 1) / 255
    low = np.minimum(place.astype(int), size - 2)
    part = (place - low).astype(np.float32)[:, None, None]
    worst = 0
    for shift in (16, 8, 0):
        colours = (exact >> shift & 255).astype(np.float32).reshape(256, 256, 256)
        nodes = _at_nodes(colours, size)
        for axis in range(3):
            axis_first = np.moveaxis(nodes, axis, 0)
            nodes = np.moveaxis(axis_first[low] * (1 - part) + axis_first[low + 1] * part, 0, axis)
        worst = max(worst, int(np.abs(np.floor(nodes + 0.5) - colours).max()))
    return worst


def _at_nodes(colours: Float32[np.ndarray, "256 256 256"], size: int) -> Float32[np.ndarray, "n n n"]:
    """Values at a table's nodes, interpolated from the 8-bit levels around each."""
    place = np.arange(size) * 255 / (size - 1)
    low = np.minimum(place.astype(int), 254)
    part = (place - low).astype(np.float32)[:, None, None]
    for axis in range(3):
        axis_first = np.moveaxis(colours, axis, 0)
        colours = np.moveaxis(axis_first[low] * (1 - part) + axis_first[low + 1] * part, 0, axis)
    return colours


def _cube_1d(values: np.ndarray, title: str) -> str:
    colours = np.broadcast_to(values.reshape(len(values), -1), (len(values), 3))
    lines = "".join(f"{r:.8f} {g:.8f} {b:.8f}\n" for r, g, b in colours)
    return f'TITLE "{title}"\nLUT_1D_SIZE {len(values)}\n{lines}'


def _cube_3d(profile: IspProfile, size: int) -> str:
    """A 3D table as text; the red index changes fastest."""
    from campro.isp.lookup import colour_table

    exact = colour_table(profile.blocks)
    channels = [_at_nodes((exact >> s & 255).astype(np.float32).reshape(256, 256, 256), size) for s in (16, 8, 0)]
    colours = np.stack(channels, -1).transpose(2, 1, 0, 3).reshape(-1, 3) / 255
    lines = "".join(f"{r:.6f} {g:.6f} {b:.6f}\n" for r, g, b in colours.tolist())
    return f'TITLE "{profile.name}"\nLUT_3D_SIZE {size}\n{lines}'


def _read_cube_1d(text: str, who: str) -> np.ndarray:
    try:
        values = np.array([[float(word) for word in line.split()] for line in _data_lines(text)])
        if values.ndim != 2 or values.shape[1] != 3 or not np.isfinite(values).all():
            raise ValueError("a line needs three numbers")
    except ValueError as error:
        raise CamproError(who, "a .cube file of one dimension", str(error)[:80]) from error
    return values


def _data_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line and not line[0].isalpha() and line[0] != "#")


def _numpy(ccm: Ccm, lut: GammaLut, linear: np.ndarray) -> str:
    """Source of a module that depends on NumPy only."""
    return NUMPY_MODULE.format(
        linear=_listed(linear),
        matrix=[list(row) for row in ccm.matrix],
        knots=list(lut.positions),
        curves=[list(curve) for curve in lut.values],
    )


def _listed(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{value:.12g}" for value in values) + "]"


NUMPY_MODULE = '''"""A CamPro profile for pictures in memory, red, green, blue in this order."""

import numpy as np

LINEAR = np.array({linear})
MATRIX = np.array({matrix})
KNOTS, CURVES = np.array({knots}), np.array({curves})


def protect(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 in, the same out: what the protected camera hands out."""
    mixed = (LINEAR[rgb] @ MATRIX.T).clip(0, 1)
    drawn = [np.interp(mixed[..., c], KNOTS, CURVES[c % len(CURVES)]) for c in range(3)]
    return np.floor(np.stack(drawn, -1) * 255 + 0.5).astype(np.uint8)
'''

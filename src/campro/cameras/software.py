"""Cameras whose pictures are processed in software: FFmpeg filters, .cube tables, and a NumPy function.

Sources: FFmpeg filters `lut1d`, `lut3d`, `colorchannelmixer`; the .cube format of Adobe, Cube LUT Specification 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from campro.cameras.cube_table import CubeTable, tables
from campro.cameras.target_camera import Files, TargetCamera
from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits
from campro.isp.limits import Grid, Limits, camera_profile, parts
from campro.isp.linear_light import linear_levels
from campro.isp.profile import Ccm, Degamma, GammaLut, IspProfile

DEEP = 16
"""Bit depth between the filters."""
WHITE = 255 * 256 / 65535
"""White after FFmpeg's conversion from 8 to 16 bit, which shifts: level L becomes 256 L of 65535."""
DENSE = 4096
"""Points to which a curve with unevenly spaced knots is resampled; FFmpeg's are evenly spaced."""


class Software(TargetCamera):
    """A chain of FFmpeg filters, exact up to rounding; a 3D table with its errors; a NumPy function."""

    name = "software"
    title = "FFmpeg, OpenCV, NumPy; .cube tables"
    page = "software"
    measuring = "the camera measures them before the profile acts, so the profile does not disturb them"
    limits = Limits(
        source="FFmpeg vf_colorchannelmixer: coefficients from -2 to 2; vf_lut1d",
        matrix=Grid(-2.0, 2.0, 1e-6),
        curve=CurveLimits(levels=10**6),
        channels=3,
    )
    TO_LINEAR, TO_PICTURE, TABLE, FFMPEG, NUMPY, ERRORS = (
        "linear.cube",
        "curve.cube",
        "profile.cube",
        "ffmpeg.txt",
        "profile.py",
        "cube-errors.txt",
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
        found = tables(profile)
        files[self.TABLE] = found[0].text(profile.name)
        files[self.FFMPEG] += f"lut3d=file={self.TABLE}:interp=trilinear\n"
        files[self.ERRORS] = "".join(_errors(one, one is found[0]) for one in found)
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


def _errors(table: CubeTable, written: bool) -> str:
    head = f"{table.size} nodes per axis" + (f" ({Software.TABLE})" if written else "")
    return "\n".join([head, *(f"  {line}" for line in table.errors())]) + "\n"


def _cube_1d(values: np.ndarray, title: str) -> str:
    colours = np.broadcast_to(values.reshape(len(values), -1), (len(values), 3))
    lines = "".join(f"{r:.8f} {g:.8f} {b:.8f}\n" for r, g, b in colours)
    return f'TITLE "{title}"\nLUT_1D_SIZE {len(values)}\n{lines}'


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

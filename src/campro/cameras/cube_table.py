"""3D tables (.cube) of a profile, for any software that loads them, and their error over all colours.

Software reads a table between its nodes by trilinear or by tetrahedral interpolation; both errors are computed. FFmpeg
(`lut3d`) does either, tetrahedral by default; OBS Studio, Apple's CIColorCube and most graphics hardware do trilinear.
Source of the format: Adobe, Cube LUT Specification 1.0. Tetrahedral interpolation: Kasson et al., Performing color
space conversions with three-dimensional linear interpolation, J. Electronic Imaging 4(3), 1995.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from campro.isp.limits import parts
from campro.isp.linear_light import linear_levels
from campro.isp.profile import Degamma, IspProfile

SIZES = (17, 33, 64)
"""Nodes per axis that are tried; 64 is the largest size that CIColorCube and older versions of FFmpeg take."""
STRIDE = 3
"""Each third level of each channel, 86^3 colours, is compared."""
BEYOND = 8
"""Differences of more levels are counted."""


class TableError(NamedTuple):
    """Difference of a table from the profile over 86^3 colours and three channels, in 8-bit levels."""

    mean: float
    largest: int
    beyond: float
    """Share of values that are off by more than `BEYOND` levels, 0 to 1."""


class CubeTable(NamedTuple):
    """A 3D table and its errors."""

    nodes: Float32[np.ndarray, "n n n 3"]
    """Output colours in [0, 1]; index order red, green, blue."""
    trilinear: TableError
    tetrahedral: TableError

    @property
    def size(self) -> int:
        """Nodes per axis."""
        return len(self.nodes)

    def text(self, title: str) -> str:
        """The file, with both errors in comments; the red index changes fastest."""
        lines = [f'TITLE "{title}"']
        lines += [f"# {line}" for line in self.errors()]
        lines += [f"LUT_3D_SIZE {self.size}", "DOMAIN_MIN 0 0 0", "DOMAIN_MAX 1 1 1"]
        values = self.nodes.transpose(2, 1, 0, 3).ravel().tolist()
        return "\n".join(lines) + "\n" + "%.6f %.6f %.6f\n" * self.size**3 % tuple(values)  # faster than f-strings

    def errors(self) -> list[str]:
        """Two lines for the user."""
        named = (("trilinear", self.trilinear), ("tetrahedral", self.tetrahedral))
        return [
            f"{name} interpolation: off by {one.mean:.2f} of 255 levels on average, {one.largest} at most; "
            f"{one.beyond:.2%} of values by more than {BEYOND}"
            for name, one in named
        ]


Outputs = Callable[[Float32[np.ndarray, "*c 3"]], Float32[np.ndarray, "*c 3"]]
"""Colours in [0, 1] to colours in [0, 1]."""


def tables(profile: IspProfile, sizes: tuple[int, ...] = SIZES) -> list[CubeTable]:
    """Tables of each of `sizes` nodes per axis, the one with the smallest mean trilinear error first.

    Raises:
        CamproError: If the profile has blocks that cameras do not have (see `campro.isp.limits.parts`).
    """
    return sorted(cube_tables(partial(_outputs, profile), sizes), key=lambda one: one.trilinear.mean)


def _outputs(profile: IspProfile, colours: Float32[np.ndarray, "*c 3"]) -> Float32[np.ndarray, "*c 3"]:
    ccm, lut = parts(profile)
    first = profile.blocks[0]
    assert isinstance(first, Degamma)
    light = np.interp(colours * 255.0, np.arange(256), linear_levels(first.curve))
    mixed = (light @ np.array(ccm.matrix).T + ccm.offsets).clip(0, 1)
    channels = [np.interp(mixed[..., c], lut.positions, lut.values[c % len(lut.values)]) for c in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def cube_tables(outputs: Outputs, sizes: Sequence[int]) -> list[CubeTable]:
    """Tables of each of `sizes` nodes per axis, and their errors."""
    compared = np.floor(outputs(_grid(np.arange(0, 256, STRIDE) / 255)) * 255 + 0.5)
    found = []
    for size in sizes:
        nodes = outputs(_grid(np.arange(size) / (size - 1)))
        errors = (_summary(read(nodes * np.float32(255)) - compared) for read in (_trilinear, _tetrahedral))
        found.append(CubeTable(nodes, *errors))
    return found


def _grid(axis: np.ndarray) -> Float32[np.ndarray, "n n n 3"]:
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).astype(np.float32)


def _summary(apart: np.ndarray) -> TableError:
    off = np.abs(apart)
    return TableError(float(off.mean()), int(off.max()), float((off > BEYOND).mean()))


def _places(size: int) -> tuple[np.ndarray, Float32[np.ndarray, " 86"]]:
    """Node below each compared level, and the level's position between that node and the next."""
    place = np.arange(0, 256, STRIDE) * (size - 1) / 255
    low = np.minimum(place.astype(int), size - 2)
    return low, (place - low).astype(np.float32)


def _trilinear(nodes: Float32[np.ndarray, "n n n 3"]) -> Float32[np.ndarray, "86 86 86 3"]:
    """Rounded levels at the compared colours, interpolated along one axis after the other."""
    low, part = _places(len(nodes))
    for axis in range(3):
        share = part.reshape([-1 if i == axis else 1 for i in range(4)])
        nodes = np.take(nodes, low, axis) * (1 - share) + np.take(nodes, low + 1, axis) * share
    return np.floor(nodes + 0.5)


def _tetrahedral(nodes: Float32[np.ndarray, "n n n 3"]) -> Float32[np.ndarray, "86 86 86 3"]:
    """Rounded levels at the compared colours.

    From the lower to the upper corner of a cell, the way goes along the axes in the order of their shares.
    """
    low, part = _places(len(nodes))
    shares = np.stack(np.meshgrid(part, part, part, indexing="ij"), -1)
    corner = np.stack(np.meshgrid(low, low, low, indexing="ij"), -1)
    order = np.argsort(-shares, -1, kind="stable")
    found, before = np.zeros_like(shares), np.ones(shares.shape[:3], np.float32)
    for step in range(3):
        axis = order[..., step : step + 1]
        share = np.take_along_axis(shares, axis, -1)[..., 0]
        found += (before - share)[..., None] * nodes[corner[..., 0], corner[..., 1], corner[..., 2]]
        np.put_along_axis(corner, axis, np.take_along_axis(corner, axis, -1) + 1, -1)
        before = share
    found += before[..., None] * nodes[corner[..., 0], corner[..., 1], corner[..., 2]]
    return np.floor(found + 0.5)

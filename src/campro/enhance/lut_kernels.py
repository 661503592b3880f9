"""A 3D LUT on 8-bit pictures by one multi-threaded kernel, and the conversion of a picture to a network's input."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from numba import prange

from campro.core.kernels import njit
from campro.core.types import Rgb8
from campro.inversion.cell_grid import LEVELS, node_positions, padded_size
from campro.inversion.inverse import BIN_BITS


def to_planes(rgb: Rgb8, multiple: int = 1) -> Float32[np.ndarray, "1 3 H W"]:
    """The picture as float planes in [0, 1], its sides padded to multiples by repeating the border.

    Equal to `padded(to_tensor(rgb), multiple)` of `campro.enhance.padding`, at the speed of memory.
    """
    out = np.empty((1, 3, *padded_size(rgb, multiple)), np.float32)
    height, width, _ = rgb.shape
    _to_planes(np.ascontiguousarray(rgb), out[0])
    out[..., :height, width:] = out[..., :height, width - 1 : width]
    out[..., height:, :] = out[..., height - 1 : height, :]
    return out


def resampled(values: np.ndarray, levels: Float64[np.ndarray, " n"], axis: int) -> np.ndarray:
    """A LUT whose nodes span levels 0 to 255 along `axis`, interpolated linearly at `levels`, clamped at its ends."""
    nodes = values.shape[axis]
    low, part = node_positions(_nodes_of(levels, nodes), nodes)
    part = part.reshape([-1 if other == axis else 1 for other in range(values.ndim)])
    return values.take(low, axis) * (1 - part) + values.take(low + 1, axis) * part


class LutKernel:
    """A `Lut3d` of colours on 8-bit pictures, exact to one level, with the ambiguity code of each colour."""

    def __init__(self, values: Float32[np.ndarray, "n n n 3"], ambiguity: UInt8[np.ndarray, " bins"]) -> None:
        """`values[b, g, r]` is the output at node (r, g, b), in [0, 1].

        `ambiguity` is the code (see `campro.inversion.inverse.ambiguity_codes`) of each bin of captured colours.
        """
        self._low, self._part = node_positions(_nodes_of(np.arange(LEVELS), len(values)), len(values))
        # Interpolated along red for all 256 levels in advance: a pixel then reads four nodes instead of eight.
        self._table = np.ascontiguousarray(resampled(values, np.arange(LEVELS), 2))
        self._ambiguity = ambiguity

    def __call__(self, rgb: Rgb8) -> tuple[Rgb8, UInt8[np.ndarray, "H W"]]:
        """The recoloured picture, and the ambiguity code of every pixel."""
        out, ambiguity = np.empty_like(rgb), np.empty(rgb.shape[:2], np.uint8)
        _look_up(np.ascontiguousarray(rgb), self._table, self._low, self._part, self._ambiguity, out, ambiguity)
        return out, ambiguity


def _nodes_of(levels: Float64[np.ndarray, " n"], nodes: int) -> Float64[np.ndarray, " n"]:
    return levels / (LEVELS - 1) * (nodes - 1)


@njit(cache=True, parallel=True, nogil=True)
def _to_planes(rgb, out):
    for y in prange(rgb.shape[0]):
        for channel in range(3):
            for x in range(rgb.shape[1]):
                out[channel, y, x] = rgb[y, x, channel] / np.float32(255)


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _look_up(rgb, table, low, part, bins, out, ambiguity):
    one, white, half, down = np.float32(1), np.float32(255), np.float32(0.5), 8 - BIN_BITS
    for y in prange(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            row = (np.uintp(rgb[y, x, 0] >> down) << BIN_BITS) | (rgb[y, x, 1] >> down)
            ambiguity[y, x] = bins[(row << BIN_BITS) | (rgb[y, x, 2] >> down)]
            red, green, blue = rgb[y, x, 0], low[rgb[y, x, 1]], low[rgb[y, x, 2]]
            up_green, up_blue = part[rgb[y, x, 1]], part[rgb[y, x, 2]]
            both = up_green * up_blue
            only_green, only_blue = up_green - both, up_blue - both
            none = one - up_green - only_blue
            for channel in range(3):
                colour = (
                    none * table[blue, green, red, channel]
                    + only_green * table[blue, green + 1, red, channel]
                    + only_blue * table[blue + 1, green, red, channel]
                    + both * table[blue + 1, green + 1, red, channel]
                )
                out[y, x, channel] = np.uint8(min(max(colour * white + half, np.float32(0)), white))

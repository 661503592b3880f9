"""The grid of cells: each cell stands for 8 x 8 pixels, and its figures are averages over them.

Networks of the fast enhancer and the inversion by neighbours both decide per cell what a single pixel cannot show.
This module holds the size of a cell, the features of a cell, and the bilinear interpolation from cells back to pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8
from numba import prange

from campro.core.kernels import njit
from campro.core.types import Rgb8
from campro.inversion.inverse import AMBIGUITY_THRESHOLDS

if TYPE_CHECKING:
    from torch import Tensor

CELL = 8
"""Side of a cell in pixels."""
MULTIPLE = 64
"""Pictures are padded to multiples of so many pixels: the networks halve the grid of cells three times."""
MAX_LINES = 720
"""Pictures whose shorter side is longer than this are downscaled before their cells are computed: the networks were
trained on photographs of about that size."""
LEVELS = 256
MEANS = slice(6, 9)
"""Channels of `cell_features`: mean recoloured level."""
AMBIGUITY = slice(12, 15)
"""Channels of `cell_features`: mean ambiguity class, 0 to 1."""
CERTAIN_MEANS = slice(15, 18)
"""Channels of `cell_features`: mean recoloured level, weighted by `certainty_weight`."""
VARIANCE_FLOOR = 1e-4
"""Added to a variance before its square root, whose slope is infinite at 0."""
MIN_WEIGHT = 0.02
"""Weight of a pixel of the highest ambiguity class, relative to 1 for a pixel without ambiguity."""

Positions = tuple[Int64[np.ndarray, " n"], Float32[np.ndarray, " n"]]
"""Positions along an axis: index of the node below each, and the fraction of the way to the next node, 0 to 1."""
Classes = TypeVar("Classes", "np.ndarray", "Tensor")


def downscale_factor(picture: np.ndarray) -> float:
    """Size of a picture (H, W, ...) relative to its `downscaled` version, at least 1."""
    return max(1.0, min(picture.shape[:2]) / MAX_LINES)


def downscaled(picture: UInt8[np.ndarray, "H W *channels"]) -> UInt8[np.ndarray, "h w *channels"]:
    """The picture with a shorter side of at most MAX_LINES pixels, the aspect ratio kept.

    Ambiguity codes (H, W) are sampled, not interpolated: a mean of two codes is no code.
    """
    scale = downscale_factor(picture)
    size = (round(picture.shape[1] / scale), round(picture.shape[0] / scale))
    how = cv2.INTER_NEAREST if picture.ndim == 2 else cv2.INTER_LINEAR
    return picture if scale == 1 else np.asarray(cv2.resize(picture, size, interpolation=how))


def padded_size(picture: np.ndarray, multiple: int) -> tuple[int, int]:
    """Height and width of a picture (H, W, ...), rounded up to multiples."""
    height, width = picture.shape[:2]
    return -(-height // multiple) * multiple, -(-width // multiple) * multiple


def certainty_weight(classes: Classes) -> Classes:
    """Weight of a pixel in the mean of its cell, from its ambiguity class, 0 to 1."""
    return (1 - classes) ** 3 + MIN_WEIGHT


def cell_features(
    captured: Rgb8, recoloured: Rgb8, ambiguity: UInt8[np.ndarray, "H W"]
) -> Float32[np.ndarray, "1 18 h w"]:
    """Six figures of every cell for red, green and blue: 18 channels, all in [0, 1].

    Mean and standard deviation of captured levels, the same two of recoloured levels, the mean ambiguity class, and
    the mean of recoloured levels weighted by `certainty_weight`. Cells beyond the picture repeat its border.
    `campro.enhance.fast_enhancer.cell_features` computes the same on tensors.
    """
    height, width = padded_size(captured, MULTIPLE)
    certain = np.empty((6, height // CELL, width // CELL), np.float32)
    _certain_means(np.ascontiguousarray(recoloured), ambiguity, CLASS_WEIGHTS, certain)
    return np.concatenate([cell_moments(captured), cell_moments(recoloured), certain])[None]


def cell_moments(rgb: Rgb8) -> Float32[np.ndarray, "6 h w"]:
    """Mean and standard deviation of each channel in every cell, in [0, 1]; the border is repeated into the padding."""
    height, width = padded_size(rgb, MULTIPLE)
    out = np.empty((6, height // CELL, width // CELL), np.float32)
    _moments(np.ascontiguousarray(rgb), out)
    return out


def node_positions(positions: Float64[np.ndarray, " n"], nodes: int) -> Positions:
    """Index and fraction of each position in units of nodes; positions beyond the ends are moved to them."""
    inside = positions.clip(0, nodes - 1)
    low = np.minimum(inside.astype(np.int64), max(nodes - 2, 0))
    return low, (inside - low).astype(np.float32)


def pixel_positions(pixels: int, cells: int, side: float) -> Positions:
    """Position of every pixel of a row or column between the centres of cells whose side is `side` pixels."""
    return node_positions((np.arange(pixels) + 0.5) / side - 0.5, cells)


def upsampled_columns(maps: Float32[np.ndarray, "c h w"], columns: Positions) -> Float32[np.ndarray, "h c W"]:
    """Maps of cells, interpolated along rows to the width of the picture.

    It is done once for each row of cells; a kernel then interpolates between two of these rows for each row of pixels.
    """
    out = np.empty((maps.shape[1], len(maps), len(columns[0])), np.float32)
    _upsample_columns(maps, *columns, out)
    return out


CLASS_WEIGHTS = certainty_weight(np.linspace(0, 1, len(AMBIGUITY_THRESHOLDS) + 1, dtype=np.float32))


@njit(inline="always")
def to_level(value):
    """A float as an 8-bit level: rounded half up, clipped to 0 to 255."""
    return np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(LEVELS - 1)))


@njit(cache=True, parallel=True, nogil=True)
def _moments(rgb, out):
    height, width = rgb.shape[:2]
    count, level = np.float32(CELL * CELL), np.float32(1 / 255)
    for row in prange(out.shape[1]):
        for column in range(out.shape[2]):
            for channel in range(3):
                total = square = 0
                for y in range(row * CELL, row * CELL + CELL):
                    for x in range(column * CELL, column * CELL + CELL):
                        value = np.int64(rgb[min(y, height - 1), min(x, width - 1), channel])
                        total += value
                        square += value * value
                mean = total / count
                out[channel, row, column] = mean * level
                variance = (square / count - mean * mean) * level * level
                out[3 + channel, row, column] = np.sqrt(max(variance, 0.0) + VARIANCE_FLOOR)


@njit(cache=True, parallel=True, nogil=True)
def _certain_means(rgb, ambiguity, class_weights, out):
    """Mean ambiguity class of each cell, 0 to 1, and its mean colour weighted by certainty."""
    height, width = rgb.shape[:2]
    count, level = np.float32(3 * CELL * CELL), np.float32(1 / 255)
    for row in prange(out.shape[1]):
        for column in range(out.shape[2]):
            for channel in range(3):
                classes, weights, colours = 0, np.float32(0), np.float32(0)
                for y in range(row * CELL, row * CELL + CELL):
                    for x in range(column * CELL, column * CELL + CELL):
                        line, pixel = min(y, height - 1), min(x, width - 1)
                        kind = (ambiguity[line, pixel] >> (2 * channel)) & 3
                        classes += kind
                        weights += class_weights[kind]
                        colours += class_weights[kind] * rgb[line, pixel, channel]
                out[channel, row, column] = classes / count
                out[3 + channel, row, column] = colours / weights * level


@njit(cache=True, parallel=True, nogil=True, fastmath=True)
def _upsample_columns(maps, lefts, fractions, out):
    end = maps.shape[2] - 1
    for row in prange(maps.shape[1]):
        for channel in range(maps.shape[0]):
            for x in range(len(lefts)):
                left, right = maps[channel, row, lefts[x]], maps[channel, row, min(lefts[x] + 1, end)]
                out[row, channel, x] = left + (right - left) * fractions[x]

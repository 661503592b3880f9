"""What stands in enhanced pictures where a face was masked; computed from kept pixels alone.

A fill never uses a masked pixel: changing one changes nothing in the result (`MASKED`). So it shows less of a face
than the black mask of the paper, which multiplies colours by a mask that is not exactly 0.

- `smooth`: colours of kept pixels, diffused into the masked area by a pyramid (push and pull, Gortler et al., The
  Lumigraph, SIGGRAPH 1996, section 3.4), with a few steps of averaging on each level against its blocks.
- `pixelate-average`: blocks with the averages of that.
- `silhouette`: a head with shoulders in one colour, darker than the surroundings, before `smooth`.
- `black`: the picture multiplied by the mask, as in the paper.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from campro.core.types import Rgb8
from campro.enhance.fill_kernels import KEPT, MASKED, average_kept_pixels, insert_fill
from campro.enhance.fill_names import PIXELATE, SILHOUETTE, Fill
from campro.enhance.silhouettes import draw_silhouettes
from campro.inversion.cell_grid import (
    CELL,
    Positions,
    downscale_factor,
    pixel_positions,
    upsampled_columns,
)

BLOCK = 4
"""Side of a block of `pixelate-average` in cells of 8 x 8 pixels."""
ROUNDS = 4
"""Steps of averaging on each level of the pyramid."""
EMPTY_LEVEL = 128.0
"""Level of the fill of a picture without any kept pixel."""
FILL_SETTINGS = (MASKED, KEPT, BLOCK, ROUNDS, EMPTY_LEVEL, CELL)
"""All settings that change the result; part of the digests of enhancers."""

CellColours = Float32[np.ndarray, "h w 3"]
"""Mean levels of cells of 8 x 8 pixels, 0 to 255."""


def insert(fill: Fill, rgb: Rgb8, mask: Float32[np.ndarray, "h w"]) -> Rgb8:
    """Replace the masked pixels of a picture, in place.

    Args:
        fill: which one, except "black", which is not a fill but a product.
        rgb: restored picture, faces visible; overwritten.
        mask: mask of its cells, 0 (face) to 1, as in an enhancer's cell map.

    Returns:
        `rgb`.
    """
    if mask.min() >= KEPT:
        return rgb
    side = CELL * downscale_factor(rgb)
    rows, columns = (pixel_positions(pixels, cells, side) for pixels, cells in zip(rgb.shape[:2], mask.shape))
    wide = upsampled_columns(np.ascontiguousarray(mask[None], np.float32), columns)
    colours = diffused(*_kept(rgb, wide, rows))
    positions = _nearest if fill == PIXELATE else _between
    if fill == PIXELATE:
        colours = blocks(colours)
    fill_rows, fill_columns = (positions(pixels, cells) for pixels, cells in zip(rgb.shape[:2], colours.shape[:2]))
    planes = upsampled_columns(np.ascontiguousarray(colours.transpose(2, 0, 1)), fill_columns)
    insert_fill(rgb, wide, *rows, planes, *fill_rows)
    if fill == SILHOUETTE:
        draw_silhouettes(rgb, mask, colours, side)
    return rgb


def diffused(means: CellColours, shares: Float32[np.ndarray, "h w"]) -> CellColours:
    """Colours of all cells, from the means of those with a share (0 to 1) of kept pixels above 0."""
    if not shares.any():
        return np.full_like(means, EMPTY_LEVEL)
    weights = shares[..., None]
    if shares.min() == 1 or shares.size == 1:  # a single cell, of any share, has nothing coarser
        return means
    # One cell with kept pixels is enough for a level that is twice as coarse, so weights are sums of up to 1.
    sums = _quartered(weights)
    coarse = diffused(_quartered(weights * means) / np.maximum(sums, 1e-6), np.minimum(sums, 1)[..., 0])
    size = (means.shape[1], means.shape[0])
    around = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR).reshape(means.shape)
    known = weights * means
    found = known + (1 - weights) * around
    for _ in range(ROUNDS):
        found = known + (1 - weights) * cv2.blur(found, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def blocks(colours: CellColours) -> CellColours:
    """Means of blocks of BLOCK x BLOCK cells, one for each block.

    >>> blocks(np.arange(8, dtype=np.float32).repeat(12).reshape(8, 4, 3))[:, 0, 0].tolist()
    [1.5, 5.5]
    """
    height, width = (-(-side // BLOCK) * BLOCK for side in colours.shape[:2])
    full = np.pad(colours, ((0, height - colours.shape[0]), (0, width - colours.shape[1]), (0, 0)), "edge")
    return np.ascontiguousarray(full.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean((1, 3)))


def _kept(
    rgb: Rgb8, mask: Float32[np.ndarray, "h 1 W"], rows: Positions
) -> tuple[CellColours, Float32[np.ndarray, "h w"]]:
    """Mean levels of the kept pixels of each cell, and their share."""
    height, width = (-(-side // CELL) for side in rgb.shape[:2])
    means, shares = np.empty((height, width, 3), np.float32), np.empty((height, width), np.float32)
    average_kept_pixels(np.ascontiguousarray(rgb), mask, *rows, means, shares)
    return means, shares


def _quartered(cells: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "H W c"]:
    """Sums of 2 x 2 cells; a missing one at the border is 0."""
    height, width = (side + side % 2 for side in cells.shape[:2])
    full = np.zeros((height, width, cells.shape[2]), np.float32)
    full[: cells.shape[0], : cells.shape[1]] = cells
    return np.asarray(full[::2, ::2] + full[1::2, ::2] + full[::2, 1::2] + full[1::2, 1::2])


def _between(pixels: int, cells: int) -> Positions:
    return pixel_positions(pixels, cells, CELL)


def _nearest(pixels: int, cells: int) -> Positions:
    """Positions that give each pixel the value of its own block."""
    inside = np.minimum(np.arange(pixels) // (CELL * BLOCK), cells - 1)
    return inside.astype(np.int64), np.zeros(pixels, np.float32)

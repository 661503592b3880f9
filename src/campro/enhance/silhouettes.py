"""Draws a head with shoulders where an enhancer's mask removed a face: an ellipse on another, in one colour.

Place and size follow from the mask alone, the colour from the fill around. Moments of the mask are used, not its
outline, so that a shape moves smoothly from frame to frame.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from campro.core.types import Rgb8
from campro.enhance.fill_kernels import MASKED
from campro.inversion.cell_grid import CELL

DARKER = 0.5
"""Level of a silhouette divided by that of the fill around it."""
HEAD, SHOULDERS = (0.0, -0.2, 0.5, 0.55), (0.0, 1.0, 0.85, 0.6)
"""Centre and half axes (x, y) of the two ellipses, in half axes of the masked area."""
MIN_CELLS = 2
"""Smaller masked areas get no silhouette."""
SUBPIXEL_BITS = 4


def draw_silhouettes(
    rgb: Rgb8, mask: Float32[np.ndarray, "h w"], colours: Float32[np.ndarray, "H W 3"], side: float
) -> None:
    """Draw one silhouette in each masked area, in place.

    Args:
        rgb: picture whose masked pixels are already filled.
        mask: mask of cells of `side` x `side` pixels, 0 (face) to 1.
        colours: levels of the fill, by cells of 8 x 8 pixels.
        side: side of a cell of the mask in pixels.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask < MASKED).astype(np.uint8), connectivity=8)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] >= MIN_CELLS:
            _draw(rgb, mask, np.where(labels == label, 1 - mask, 0), colours, side)


def _draw(
    rgb: Rgb8,
    mask: Float32[np.ndarray, "h w"],
    area: Float32[np.ndarray, "h w"],
    colours: Float32[np.ndarray, "H W 3"],
    side: float,
) -> None:
    x, half_width = _moments(area.sum(0), side)
    y, half_height = _moments(area.sum(1), side)
    top, left = max(0, int(y - 2 * half_height)), max(0, int(x - 2 * half_width))
    part = rgb[top : int(y + 2 * half_height) + 1, left : int(x + 2 * half_width) + 1]
    shape = np.zeros(part.shape[:2], np.uint8)
    for centre_x, centre_y, half_x, half_y in (HEAD, SHOULDERS):
        centre = (x + centre_x * half_width - left, y + centre_y * half_height - top)
        axes = (half_x * half_width, half_y * half_height)
        place, size = (tuple(round(value * (1 << SUBPIXEL_BITS)) for value in pair) for pair in (centre, axes))
        cv2.ellipse(shape, place, size, 0, 0, 360, 255, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    masked = _masked_part(mask, side, top, left, part.shape[:2])
    alpha = (shape / np.float32(255) * masked)[..., None]
    row, column = (min(int(place / CELL), cells - 1) for place, cells in zip((y, x), colours.shape))
    part[:] = (part * (1 - alpha) + alpha * DARKER * colours[row, column] + 0.5).astype(np.uint8)


def _moments(profile: Float32[np.ndarray, " n"], side: float) -> tuple[float, float]:
    """Centre and half axis, in pixels, of an ellipse with these weights along an axis: twice the deviation."""
    places = (np.arange(len(profile)) + 0.5) * side
    centre = float((profile * places).sum() / profile.sum())
    variance = float((profile * (places - centre) ** 2).sum() / profile.sum()) + side**2 / 12
    return centre, 2 * variance**0.5


def _masked_part(
    mask: Float32[np.ndarray, "h w"], side: float, top: int, left: int, size: tuple[int, int]
) -> Float32[np.ndarray, "H W"]:
    """How much each pixel of a part of the picture is masked: 1 where its mask is at most MASKED, then falling."""
    rows, columns = (((np.arange(n) + first + 0.5) / side - 0.5) for n, first in zip(size, (top, left)))
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    own = cv2.remap(mask.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip((1 - own) / (1 - MASKED), 0, 1))

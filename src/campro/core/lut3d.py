"""A 3D look-up table: any smooth map from colours, learned from pairs of pictures of the same scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor
from campro.core.types import Images, ImageTransform

NODES = 33
"""Per axis: the usual size of a 3D LUT."""
FAITH = 1e-3
"""Weight of a neighbourhood against the next smaller one: what is seen decides, the rest is filled in."""


class Lut3d(nn.Module):
    """Values at the nodes of an even grid over the RGB cube, trilinear in between; most often colours again.

    `values[:, b, g, r]` is what becomes of node (r, g, b). Pictures and nodes get gradients.
    """

    def __init__(self, values: Float[Tensor, "channels n n n"]) -> None:
        super().__init__()
        self.values = nn.Parameter(values.clone())

    def forward(self, images: Images) -> Float[Tensor, "B channels H W"]:
        """What becomes of the pictures; colours beyond the cube count as those on its border."""
        where = (2 * images - 1).permute(0, 2, 3, 1)[:, None]
        table = self.values.expand(len(images), *self.values.shape)
        # grid_sample calls trilinear interpolation of a volume "bilinear"
        return F.grid_sample(table, where, mode="bilinear", padding_mode="border", align_corners=True)[:, :, 0]

    @classmethod
    def fit(
        cls, pairs: Iterable[tuple[Images, Float[Tensor, "B channels H W"]]], nodes: int = NODES, channels: int = 3
    ) -> Self:
        """The table that takes the first picture of each pair to the second, as well as colours alone can tell.

        A node gets the mean of what the pixels near it should become, weighted by nearness (the weights of trilinear
        interpolation); where no pixel is near, the mean of ever wider neighbourhoods, in the end of all pixels.

        Raises:
            CamproError: for pairs without a pixel.
        """
        sums = torch.zeros(channels + 1, nodes**3, dtype=torch.float64)
        for source, target in pairs:
            _splat(sums, source, target)
        if not sums[-1].any():
            raise CamproError("3D LUT", "pixels to fit it to", "none", "give photographs, not of faces alone")
        return cls(_fill(sums.reshape(-1, nodes, nodes, nodes)).float())


def colour_pairs(photos: Iterable[Path], view: ImageTransform) -> Iterator[tuple[Images, Images]]:
    """(seen through `view`, raw) of each photograph, every third row and column: what a colour map is fitted to."""
    for photo in photos:
        rgb = np.ascontiguousarray(read_image(photo)[::3, ::3])
        yield to_tensor(view(rgb)), to_tensor(rgb)


def _splat(sums: Float[Tensor, "channels+1 cells"], source: Images, target: Float[Tensor, "B channels H W"]) -> None:
    """Add each target pixel, and a one that counts it, to the eight nodes around its source colour."""
    nodes = round(sums.shape[1] ** (1 / 3))
    place = source.detach().permute(0, 2, 3, 1).reshape(-1, 3).double().clamp(0, 1) * (nodes - 1)
    low = place.floor().clamp(max=nodes - 2)
    colour = target.detach().permute(1, 0, 2, 3).reshape(len(sums) - 1, -1).double()
    rows = torch.cat([colour, torch.ones_like(colour[:1])])
    for corner in range(8):
        up = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2])
        weight = torch.where(up.bool(), place - low, 1 - (place - low)).prod(1)
        red, green, blue = (low.long() + up).unbind(1)
        sums.index_add_(1, (blue * nodes + green) * nodes + red, rows * weight)


def _fill(sums: Float[Tensor, "channels+1 n n n"]) -> Float[Tensor, "channels n n n"]:
    """Means; wider and wider neighbourhoods speak where the narrower ones are silent."""
    total, faith, width = sums.clone(), 1.0, 3
    while width <= sums.shape[1]:
        faith *= FAITH
        total += faith * F.avg_pool3d(sums[None], width, stride=1, padding=width // 2)[0]
        width = 2 * width + 1
    total += faith * FAITH * sums.mean((1, 2, 3), keepdim=True)
    return total[:-1] / total[-1]

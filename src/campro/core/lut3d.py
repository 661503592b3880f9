"""3D look-up tables, and their fit to pairs of images of the same scenes."""

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
"""Nodes per axis; a common size of 3D LUTs."""
NEIGHBOURHOOD_WEIGHT = 1e-3
"""Weight of a neighbourhood relative to the next smaller one: wider ones matter only where there is no data."""


class Lut3d(nn.Module):
    """Values at the nodes of a regular grid over the RGB cube [0, 1]^3, with trilinear interpolation.

    `values[:, b, g, r]` is the output at node (r, g, b). Differentiable with respect to images and values.
    """

    def __init__(self, values: Float[Tensor, "channels n n n"]) -> None:
        super().__init__()
        self.values = nn.Parameter(values.clone())

    def forward(self, images: Images) -> Float[Tensor, "B channels H W"]:
        """Map the colours of images (B, 3, H, W); colours outside [0, 1] are clamped."""
        position = (2 * images - 1).permute(0, 2, 3, 1)[:, None]
        table = self.values.expand(len(images), *self.values.shape)
        # grid_sample calls trilinear interpolation of a volume "bilinear"
        return F.grid_sample(table, position, mode="bilinear", padding_mode="border", align_corners=True)[:, :, 0]

    @classmethod
    def fit(
        cls, pairs: Iterable[tuple[Images, Float[Tensor, "B channels H W"]]], nodes: int = NODES, channels: int = 3
    ) -> Self:
        """Fit a LUT that maps the colours of the first image of each pair to the values of the second.

        The value of a node is the mean of the targets of nearby pixels, weighted by the weights of trilinear
        interpolation. If there are none, the mean over wider neighbourhoods is used, in the end over all pixels.

        Args:
            pairs: images (B, 3, H, W) in [0, 1], and targets (B, channels, H, W).
            nodes: nodes per axis.
            channels: channels of the targets.

        Raises:
            CamproError: if the pairs contain no pixel.
        """
        sums = torch.zeros(channels + 1, nodes**3, dtype=torch.float64)
        for source, target in pairs:
            _splat(sums, source, target)
        if not sums[-1].any():
            raise CamproError("3D LUT", "pixels to fit it to", "none", "give photographs, not of faces alone")
        return cls(_fill(sums.reshape(-1, nodes, nodes, nodes)).float())


def colour_pairs(photos: Iterable[Path], view: ImageTransform, whole: bool = False) -> Iterator[tuple[Images, Images]]:
    """(image of `view`, raw image) of each photograph, (1, 3, h, w) in [0, 1], at every third row and column.

    With `whole`, the view gets the whole photograph, which is slower; for a pointwise view the result is the same.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    for photo in photos:
        rgb = read_image(photo)
        few = np.ascontiguousarray(rgb[::3, ::3])
        viewed = np.ascontiguousarray(view(rgb)[::3, ::3]) if whole else view(few)
        yield to_tensor(viewed), to_tensor(few)


def _splat(sums: Float[Tensor, "channels+1 cells"], source: Images, target: Float[Tensor, "B channels H W"]) -> None:
    """Add each target pixel, and 1 as its count, to the eight nodes around its source colour (trilinear weights)."""
    nodes = round(sums.shape[1] ** (1 / 3))
    place = source.detach().permute(0, 2, 3, 1).reshape(-1, 3).double().clamp(0, 1) * (nodes - 1)
    low = place.floor().clamp(max=nodes - 2)
    colour = target.detach().permute(1, 0, 2, 3).reshape(len(sums) - 1, -1).double()
    values = torch.cat([colour, torch.ones_like(colour[:1])])
    for corner in range(8):
        up = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2])
        weight = torch.where(up.bool(), place - low, 1 - (place - low)).prod(1)
        red, green, blue = (low.long() + up).unbind(1)
        sums.index_add_(1, (blue * nodes + green) * nodes + red, values * weight)


def _box_means(volumes: Float[Tensor, "channels n n n"], width: int) -> Float[Tensor, "channels n n n"]:
    """Means over cubes of odd `width`, zeros outside; axis by axis, which is a hundred times as fast for wide cubes."""
    for kernel in ((width, 1, 1), (1, width, 1), (1, 1, width)):
        volumes = F.avg_pool3d(volumes[None], kernel, stride=1, padding=tuple(side // 2 for side in kernel))[0]
    return volumes


def _fill(sums: Float[Tensor, "channels+1 n n n"]) -> Float[Tensor, "channels n n n"]:
    """Means; wider neighbourhoods determine nodes without data nearby."""
    total, factor, width = sums.clone(), 1.0, 3
    while width <= sums.shape[1]:
        factor *= NEIGHBOURHOOD_WEIGHT
        total += factor * _box_means(sums, width)
        width = 2 * width + 1
    total += factor * NEIGHBOURHOOD_WEIGHT * sums.mean((1, 2, 3), keepdim=True)
    return total[:-1] / total[-1]

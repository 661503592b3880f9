"""The grid of YOLOX's prediction cells, and its predictions for one person class, decoded to boxes and logits."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from campro.models.persons.yolox_net import STRIDES

PERSON = 0
"""COCO's first class, and the only class of a person-only head."""


class Cells(NamedTuple):
    """Decoded predictions of the person class: B images, one entry per cell in the order of `cell_grid`."""

    boxes: Float[Tensor, "B cells 4"]
    """(x0, y0, x1, y1) in pixels of the network's input."""
    objectness: Float[Tensor, "B cells"]
    """Logits."""
    person: Float[Tensor, "B cells"]
    """Logits."""
    centres: Float[Tensor, "cells 2"]
    """(x, y) of each cell's centre, in pixels of the network's input."""
    strides: Float[Tensor, "cells"]
    """Side of each cell, in pixels of the network's input."""

    def scores(self) -> Float[Tensor, "B cells"]:
        """Confidence that the cell's box is a person, in [0, 1]."""
        return self.objectness.sigmoid() * self.person.sigmoid()


def decode_cells(raw: Float[Tensor, "B cells C"], height: int, width: int) -> Cells:
    """Decode the output of `YoloxNet` for an input of `height` x `width` pixels, both multiples of 32.

    Source: "YOLOX: Exceeding YOLO Series in 2021" (arXiv 2107.08430): centre = (offset + cell) x stride,
    size = exp(log size) x stride.
    """
    grid, strides = cell_grid(height, width, raw.device)
    middle = (raw[..., :2] + grid) * strides[:, None]
    half = raw[..., 2:4].exp() * strides[:, None] / 2
    boxes = torch.cat([middle - half, middle + half], 2)
    return Cells(boxes, raw[..., 4], raw[..., 5 + PERSON], (grid + 0.5) * strides[:, None], strides)


def cell_grid(height: int, width: int, device: torch.device) -> tuple[Float[Tensor, "cells 2"], Float[Tensor, "cells"]]:
    """(column, row) and stride of each cell, row by row, the smallest stride first: the order of `YoloxNet`'s output.

    >>> grid, strides = cell_grid(32, 32, torch.device("cpu"))
    >>> grid[:5].tolist(), len(strides)
    ([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [0.0, 1.0]], 21)
    """
    grids, strides = [], []
    for stride in STRIDES:
        rows, columns = height // stride, width // stride
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        grids.append(torch.stack([x, y], 2).reshape(-1, 2).float())
        strides.append(torch.full((rows * columns,), float(stride)))
    return torch.cat(grids).to(device), torch.cat(strides).to(device)

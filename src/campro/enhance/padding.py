"""Padding of pictures of any size for networks that halve the resolution several times."""

from __future__ import annotations

from torch.nn import functional as F

from campro.core.types import Images


def padded(images: Images, multiple: int) -> Images:
    """Pictures padded below and on the right, by repeating the border, to sides that are multiples of `multiple`.

    >>> import torch
    >>> padded(torch.zeros(1, 3, 5, 8), 4).shape
    torch.Size([1, 3, 8, 8])
    """
    below, right = ((side + multiple - 1) // multiple * multiple - side for side in images.shape[2:])
    return F.pad(images, (0, right, 0, below), mode="replicate")

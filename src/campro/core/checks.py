"""Checks of input data; called once where data enters, not inside loops, because they synchronise a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from campro.core.errors import CamproError

if TYPE_CHECKING:
    from torch import Tensor


def check_images(images: Tensor, caller: str) -> None:
    """Check that images are (B, 3, H, W) with finite values in [0, 1]; `caller` begins the message.

    Raises:
        CamproError: if they are not.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise CamproError(caller, "images (B, 3, H, W)", str(tuple(images.shape)))
    if images.numel() == 0:
        return
    low, high = (float(bound) for bound in images.detach().aminmax())
    if not (low >= 0 and high <= 1):  # a NaN fails both comparisons
        raise CamproError(caller, "values in [0, 1]", f"[{low:.3g}, {high:.3g}]", "divide uint8 by 255")


def check_rgb8(rgb: np.ndarray, caller: str) -> None:
    """Check that images are uint8 (H, W, 3) or (N, H, W, 3); `caller` begins the message.

    Raises:
        CamproError: if they are not.
    """
    if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8:
        raise CamproError(
            caller, "a uint8 array", str(getattr(rgb, "dtype", type(rgb).__name__)), "scale to 0..255 first"
        )
    if rgb.ndim not in (3, 4) or rgb.shape[-1] != 3:
        raise CamproError(
            caller, "shape (H, W, 3) or (N, H, W, 3)", str(rgb.shape), "convert gray or RGBA to RGB first"
        )

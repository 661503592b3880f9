"""How close a picture is to its reference, over a region: RMSE, PSNR, SSIM, MS-SSIM.

SSIM: Wang et al., Image Quality Assessment (IEEE TIP 2004); MS-SSIM: Wang et al., Multi-scale structural similarity
(Asilomar 2003). Libraries give one number for a whole picture; an enhancer must be judged outside faces and inside them
apart, so the maps are worked out here. Over the whole picture both equal torchmetrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.types import Images, Rgb8

WINDOW, SIGMA = 11, 1.5
FULL = slice(WINDOW // 2, -(WINDOW // 2))
"""Where windows are full; like torchmetrics, only these count for the contrast, but all for SSIM."""
C1, C2 = 0.01**2, 0.03**2
BLACK = 26
"""Level below which a channel counts as black."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MIN_SIDE = WINDOW * 2 ** (len(SCALE_WEIGHTS) - 1)
"""Sides must hold a window at the coarsest scale."""


class Quality(NamedTuple):
    """Of one picture, over one region."""

    rmse: float
    """In levels, 0 to 255."""
    psnr: float
    """In dB; infinite for equal pictures."""
    ssim: float
    ms_ssim: float


def quality(
    picture: Images, reference: Images, regions: Mapping[str, Bool[Tensor, "H W"]] | None = None
) -> dict[str, Quality]:
    """One picture (1, 3, H, W) in [0, 1] against its reference, over each region (by default: "whole").

    A pixel counts if it belongs to the region; at coarser scales, if the region covers half of it. Regions that vanish
    at the coarsest scale are left out of the answer.

    Raises:
        CamproError: where shapes differ, values are not finite, or a side is shorter than 176 pixels.
    """
    _check(picture, reference)
    masks = regions or {"whole": torch.ones(picture.shape[2:], dtype=torch.bool)}
    errors = (picture.double() - reference.double()).square().mean(1)[0]
    scales = _all_scales(picture.double(), reference.double())
    found = {}
    for name, mask in masks.items():
        similar = _similarities(scales, mask)
        if similar is not None:
            mse = errors[mask].mean()
            found[name] = Quality(255 * float(mse.sqrt()), float(-10 * mse.log10()), *similar)
    return found


def _all_scales(a: Images, b: Images) -> list[tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]]:
    """SSIM and contrast maps, each scale half the size of the one before."""
    scales = []
    for _ in SCALE_WEIGHTS:
        scales.append(_maps(a, b))
        a, b = (F.avg_pool2d(each, 2) for each in (a, b))
    return scales


def _similarities(scales: list[tuple[Tensor, Tensor]], region: Bool[Tensor, "H W"]) -> tuple[float, float] | None:
    """SSIM and MS-SSIM over the region."""
    share, product = region.double()[None, None], 1.0
    for scale, ((likeness, contrast), weight) in enumerate(zip(scales, SCALE_WEIGHTS, strict=True)):
        wanted = share[0, 0] >= 0.5
        last = scale == len(scales) - 1
        counted = likeness[wanted] if last else contrast[FULL, FULL][wanted[FULL, FULL]]
        if not len(counted):
            return None
        product *= max(float(counted.mean()), 0.0) ** weight
        share = F.avg_pool2d(share, 2)
    return float(scales[0][0][region].mean()), product


def _maps(
    a: Float[Tensor, "1 3 H W"], b: Float[Tensor, "1 3 H W"]
) -> tuple[Float[Tensor, "H W"], Float[Tensor, "H W"]]:
    """SSIM and its contrast-structure part around every pixel (mirrored at the border), mean over channels."""
    offsets = torch.arange(WINDOW, dtype=a.dtype) - WINDOW // 2
    bell = torch.exp(-(offsets**2) / (2 * SIGMA**2))
    bell = bell / bell.sum()
    a, b = (F.pad(each, (WINDOW // 2,) * 4, mode="reflect") for each in (a, b))
    stack = torch.cat([a, b, a * a, b * b, a * b]).reshape(-1, 1, *a.shape[2:])
    blurred = F.conv2d(F.conv2d(stack, bell.view(1, 1, -1, 1)), bell.view(1, 1, 1, -1))
    mean_a, mean_b, square_a, square_b, both = blurred.reshape(5, 3, *blurred.shape[2:])
    var_a, var_b, covariance = square_a - mean_a**2, square_b - mean_b**2, both - mean_a * mean_b
    contrast = (2 * covariance + C2) / (var_a + var_b + C2)
    brightness = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return (brightness * contrast).mean(0), contrast.mean(0)


def _check(picture: Tensor, reference: Tensor) -> None:
    if picture.shape != reference.shape or picture.shape[:2] != (1, 3):
        wanted = f"two pictures (1, 3, H, W) of the same size, reference {tuple(reference.shape)}"
        raise CamproError("quality", wanted, str(tuple(picture.shape)))
    if min(picture.shape[2:]) < MIN_SIDE:
        raise CamproError("quality", f"sides of {MIN_SIDE} pixels or more", str(tuple(picture.shape[2:])))
    if not (picture.isfinite().all() and reference.isfinite().all()):
        raise CamproError("quality", "finite pictures", "NaN or infinity")


def black_shares(picture: Rgb8, boxes: Float[Tensor, "N 4"]) -> list[float]:
    """Of each box (x0, y0, x1, y1), the share of pixels that are black: every channel below a tenth of white.

    >>> import numpy as np
    >>> half = np.zeros((10, 10, 3), np.uint8); half[:, 5:] = 255
    >>> black_shares(half, torch.tensor([[0.0, 0, 10, 10]]))
    [0.5]
    """
    black = picture.max(2) < BLACK
    height, width = black.shape
    shares = []
    for x0, y0, x1, y1 in boxes.round().int().tolist():
        inside = black[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
        shares.append(float(inside.mean()) if inside.size else 0.0)
    return shares


def flicker(frames: Iterable[Rgb8]) -> float:
    """How much pixels of a static scene change over time: their standard deviation, RMS over pixels, in levels.

    Raises:
        CamproError: for fewer than two frames.
    """
    mean, squares, count = np.zeros(()), np.zeros(()), 0
    for frame in frames:  # Welford's way: one pass, no cancellation
        count += 1
        away = frame.astype(np.float64) - mean
        mean = mean + away / count
        squares = squares + away * (frame - mean)
    if count < 2:
        raise CamproError("flicker", "two frames or more", str(count))
    return float(np.sqrt((squares / count).mean()))

"""How close a picture is to its reference, over a region: RMSE, PSNR, SSIM, MS-SSIM.

SSIM: Wang et al., Image Quality Assessment (IEEE TIP 2004); MS-SSIM: Wang et al., Multi-scale structural similarity
(Asilomar 2003). Libraries give one number for a whole picture; an enhancer must be judged outside faces and inside them
apart, so the maps are worked out here. Over the whole picture both equal torchmetrics.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.types import Images

WINDOW, SIGMA = 11, 1.5
FULL = slice(WINDOW // 2, -(WINDOW // 2))
"""Where windows are full; like torchmetrics, only these count for the contrast, but all for SSIM."""
C1, C2 = 0.01**2, 0.03**2
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SMALLEST = WINDOW * 2 ** (len(SCALE_WEIGHTS) - 1)
"""Sides must hold a window at the coarsest scale."""


class Quality(NamedTuple):
    """Of one picture, over one region."""

    rmse: float
    """In levels, 0 to 255."""
    psnr: float
    """In dB; infinite for equal pictures."""
    ssim: float
    ms_ssim: float


def quality(picture: Images, reference: Images, region: Bool[Tensor, "H W"] | None = None) -> Quality | None:
    """One picture (1, 3, H, W) in [0, 1] against its reference; None where the region vanishes at the coarsest scale.

    A pixel counts if it belongs to the region; at coarser scales, if the region covers half of it.

    Raises:
        CamproError: where shapes differ, values are not finite, or a side is shorter than 176 pixels.
    """
    _check(picture, reference)
    inside = torch.ones(picture.shape[2:], dtype=torch.bool) if region is None else region
    errors = (picture - reference).square().mean(1)[0][inside]
    if errors.numel() == 0:
        return None
    mse = errors.double().mean()
    similarities = _similarities(picture.double(), reference.double(), inside)
    if similarities is None:
        return None
    ssim, multi = similarities
    return Quality(255 * float(mse.sqrt()), float(-10 * mse.log10()), ssim, multi)


def _similarities(a: Tensor, b: Tensor, region: Bool[Tensor, "H W"]) -> tuple[float, float] | None:
    """SSIM and MS-SSIM over the region."""
    share = region.double()[None, None]
    product, first = 1.0, None
    for scale, weight in enumerate(SCALE_WEIGHTS):
        likeness, contrast = _maps(a, b)
        wanted = share[0, 0] >= 0.5
        last = scale == len(SCALE_WEIGHTS) - 1
        counted = likeness[wanted] if last else contrast[FULL, FULL][wanted[FULL, FULL]]
        if not len(counted):
            return None
        first = float(likeness[wanted].mean()) if first is None else first
        product *= max(float(counted.mean()), 0.0) ** weight
        a, b, share = (F.avg_pool2d(each, 2) for each in (a, b, share))
    assert first is not None
    return first, product


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
    if min(picture.shape[2:]) < SMALLEST:
        raise CamproError("quality", f"sides of {SMALLEST} pixels or more", str(tuple(picture.shape[2:])))
    if not (picture.isfinite().all() and reference.isfinite().all()):
        raise CamproError("quality", "finite pictures", "NaN or infinity")

"""Image quality relative to a reference, over a region: RMSE, PSNR, SSIM, MS-SSIM.

SSIM: Wang et al., Image Quality Assessment (IEEE TIP 2004); MS-SSIM: Wang et al., Multi-scale structural similarity
(Asilomar 2003). Libraries compute one value for a whole image; enhancers are evaluated inside and outside faces
separately, so the maps are computed here. Over the whole image both values equal those of torchmetrics.
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
"""Side and standard deviation of the Gaussian window in pixels."""
FULL = slice(WINDOW // 2, -(WINDOW // 2))
"""Pixels whose window is inside the image; as in torchmetrics, contrast uses only these, SSIM all."""
C1, C2 = 0.01**2, 0.03**2
"""Constants of SSIM for values in [0, 1]."""
BLACK = 26
"""Level, 0 to 255, below which a channel counts as black: a tenth of white."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of MS-SSIM, finest scale first."""
MIN_SIDE = WINDOW * 2 ** (len(SCALE_WEIGHTS) - 1)
"""Smallest side in pixels: one window at the coarsest scale."""


class Quality(NamedTuple):
    """Quality of one image over one region."""

    rmse: float
    """In levels, 0 to 255."""
    psnr: float
    """In dB; infinite for equal images."""
    ssim: float
    """At most 1, which means equal."""
    ms_ssim: float
    """In [0, 1]; 1 means equal."""


def quality(
    picture: Images, reference: Images, regions: Mapping[str, Bool[Tensor, "H W"]] | None = None
) -> dict[str, Quality]:
    """Quality of an image relative to its reference, both (1, 3, H, W) in [0, 1], over each region.

    `regions` are masks (H, W) by name; by default one region "whole". At coarser scales a pixel belongs to a region
    that covers at least half of it. Regions without a pixel at some scale are not in the result.

    Raises:
        CamproError: if shapes differ, values are not finite, or a side is shorter than 176 pixels.
    """
    _check(picture, reference)
    masks = regions or {"whole": torch.ones(picture.shape[2:], dtype=torch.bool)}
    errors = (picture.double() - reference.double()).square().mean(1)[0]
    scales = _all_scales(picture.double(), reference.double())
    results = {}
    for name, mask in masks.items():
        similarities = _similarities(scales, mask)
        if similarities is not None:
            mse = errors[mask].mean()
            results[name] = Quality(255 * float(mse.sqrt()), float(-10 * mse.log10()), *similarities)
    return results


def _all_scales(a: Images, b: Images) -> list[tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]]:
    """SSIM and contrast maps of all scales; each scale halves height and width."""
    scales = []
    for _ in SCALE_WEIGHTS:
        scales.append(_maps(a, b))
        a, b = (F.avg_pool2d(each, 2) for each in (a, b))
    return scales


def _similarities(scales: list[tuple[Tensor, Tensor]], region: Bool[Tensor, "H W"]) -> tuple[float, float] | None:
    """SSIM and MS-SSIM over the region."""
    share, product = region.double()[None, None], 1.0
    for scale, ((ssim, contrast), weight) in enumerate(zip(scales, SCALE_WEIGHTS, strict=True)):
        inside = share[0, 0] >= 0.5
        last = scale == len(scales) - 1
        values = ssim[inside] if last else contrast[FULL, FULL][inside[FULL, FULL]]
        if not len(values):
            return None
        product *= max(float(values.mean()), 0.0) ** weight
        share = F.avg_pool2d(share, 2)
    return float(scales[0][0][region].mean()), product


def _maps(
    a: Float[Tensor, "1 3 H W"], b: Float[Tensor, "1 3 H W"]
) -> tuple[Float[Tensor, "H W"], Float[Tensor, "H W"]]:
    """SSIM and its contrast-structure factor at each pixel (mirrored at the border), mean over channels."""
    offsets = torch.arange(WINDOW, dtype=a.dtype) - WINDOW // 2
    window = torch.exp(-(offsets**2) / (2 * SIGMA**2))
    window = window / window.sum()
    a, b = (F.pad(each, (WINDOW // 2,) * 4, mode="reflect") for each in (a, b))
    stack = torch.cat([a, b, a * a, b * b, a * b]).reshape(-1, 1, *a.shape[2:])
    blurred = F.conv2d(F.conv2d(stack, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))
    mean_a, mean_b, square_a, square_b, both = blurred.reshape(5, 3, *blurred.shape[2:])
    var_a, var_b, covariance = square_a - mean_a**2, square_b - mean_b**2, both - mean_a * mean_b
    contrast = (2 * covariance + C2) / (var_a + var_b + C2)
    brightness = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return (brightness * contrast).mean(0), contrast.mean(0)


def _check(picture: Tensor, reference: Tensor) -> None:
    if picture.shape != reference.shape or picture.shape[:2] != (1, 3):
        expected = f"two images (1, 3, H, W) of the same size, reference {tuple(reference.shape)}"
        raise CamproError("quality", expected, str(tuple(picture.shape)))
    if min(picture.shape[2:]) < MIN_SIDE:
        raise CamproError("quality", f"sides of {MIN_SIDE} pixels or more", str(tuple(picture.shape[2:])))
    if not (picture.isfinite().all() and reference.isfinite().all()):
        raise CamproError("quality", "finite images", "NaN or infinity")


def black_shares(picture: Rgb8, boxes: Float[Tensor, "N 4"]) -> list[float]:
    """Share of black pixels, in [0, 1], in each box (x0, y0, x1, y1): every channel is below BLACK.

    `picture` is 8-bit sRGB (H, W, 3), `boxes` are in its pixels; for a box outside the image the share is 0.

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
    """Temporal noise of a static scene, in levels: standard deviation over time, RMS over pixels.

    `frames` are 8-bit sRGB (H, W, 3), all of the same size.

    Raises:
        CamproError: if there are fewer than two frames.
    """
    mean, squares, count = np.zeros(()), np.zeros(()), 0
    for frame in frames:  # Welford's algorithm: one pass, no cancellation
        count += 1
        difference = frame.astype(np.float64) - mean
        mean = mean + difference / count
        squares = squares + difference * (frame - mean)
    if count < 2:
        raise CamproError("flicker", "two frames or more", str(count))
    return float(np.sqrt((squares / count).mean()))

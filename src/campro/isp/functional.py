"""The blocks of a profile as differentiable functions of pictures in [0, 1], shape (..., 3, H, W).

Source: CamPro (NDSS 2024), V-B, eqs. 1-2, unless a function says otherwise.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from campro.core.types import Rgb8

Picture = Float[Tensor, "*b 3 h w"]
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue: ITU-R BT.601."""


def degamma(srgb: Picture, curve: str = "power-2.2") -> Picture:
    """sRGB -> linear light: x^2.2, or the exact curve of IEC 61966-2-1 ("srgb").

    >>> round(float(degamma(torch.full((3, 1, 1), 0.5), "srgb")[0, 0, 0]), 4)
    0.214
    """
    if curve == "power-2.2":
        return srgb**2.2
    # Clamped: the branch that is not selected would otherwise have NaN gradients.
    bright = ((srgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(srgb <= 0.04045, srgb / 12.92, bright)


def apply_ccm(linear: Picture, ccm: Float[Tensor, "3 3"], offsets: Float[Tensor, "3"] | None = None) -> Picture:
    """Mix linear RGB by a colour correction matrix (row = output channel), add offsets, clip to [0, 1] (eq. 1).

    >>> float(apply_ccm(torch.ones(3, 1, 1), 2 * torch.eye(3)).max())
    1.0
    """
    mixed = torch.einsum("oc,...chw->...ohw", ccm, linear)
    if offsets is not None:
        mixed = mixed + offsets[:, None, None]
    return mixed.clamp(0, 1)


def apply_lut(x: Picture, values: Float[Tensor, "c k"], knots: Float[Tensor, "k"]) -> Picture:
    """Piecewise-linear curve through (knots, values): one for all channels (c = 1) or one for each (c = 3) (eq. 2).

    x lies in [0, 1]; knots rise strictly from 0 to 1. Differentiable in x and the values.
    """
    left = torch.searchsorted(knots, x.detach().contiguous(), right=True).sub_(1).clamp_(0, len(knots) - 2)
    share = (x - knots[left]) / (knots[left + 1] - knots[left])
    curves = values.expand(3, -1)
    channel = torch.arange(3, device=x.device)[:, None, None]
    low, high = curves[channel, left], curves[channel, left + 1]
    return low + share * (high - low)


def round_half_up(x: Tensor) -> Tensor:
    """floor(x + 1/2), the rounding of cameras; torch.round would round halves to even."""
    return torch.floor(x + 0.5)


def quantise(x: Picture, bits: int = 8) -> Picture:
    """Round [0, 1] to 2^bits levels, halves up; the gradient is that of the identity (straight-through)."""
    levels = 2**bits - 1
    return x + (round_half_up(x * levels) / levels - x).detach()


def gaussian_kernel(size: int, sigma: float) -> Float[np.ndarray, "size"]:
    """Samples of a Gaussian at distances of one pixel, with sum 1; `sigma` in pixels."""
    distance = np.arange(size) - (size - 1) / 2
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum()


def defocus(x: Picture, kernel: int, sigma: float) -> Picture:
    """Separable Gaussian blur with `kernel` (odd) taps; the picture is reflected at its border.

    The border pixel is not repeated. `sigma` is in pixels.
    """
    taps = torch.as_tensor(gaussian_kernel(kernel, sigma), dtype=x.dtype, device=x.device)
    planes = x.reshape(-1, 1, *x.shape[-2:])
    rows = F.conv2d(mirrored(planes, 2, kernel // 2), taps.view(1, 1, -1, 1))
    return F.conv2d(mirrored(rows, 3, kernel // 2), taps.view(1, 1, 1, -1)).reshape(x.shape)


def luma_of(x: Picture) -> Float[Tensor, "*b 1 h w"]:
    """Luma (ITU-R BT.601). The colour differences are the picture minus its luma."""
    weights = torch.tensor(LUMA, dtype=x.dtype, device=x.device)
    return torch.einsum("c,...chw->...hw", weights, x).unsqueeze(-3)


def chroma_blur(x: Picture, kernel: int, sigma: float) -> Picture:
    """Gaussian blur of the colour differences (RGB minus luma), clipped to [0, 1]; grey pictures do not change."""
    luma = luma_of(x)
    return (luma + defocus(x - luma, kernel, sigma)).clamp(0, 1)


def chroma_subsampled(x: Picture, across: int, down: int) -> Picture:
    """Colour differences replaced by their mean over blocks of `across` x `down` pixels, clipped to [0, 1].

    Blocks at the right and lower border are smaller where the size is no multiple.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]).view(3, 1, 2)  # red beside black
    >>> [round(value, 2) for value in chroma_subsampled(x, 2, 1)[0, 0].tolist()]
    [0.65, 0.35]
    """
    luma, (height, width) = luma_of(x), x.shape[-2:]
    planes = (x - luma).reshape(-1, 3, height, width)
    means = F.avg_pool2d(planes, (down, across), ceil_mode=True)
    spread = means.repeat_interleave(down, 2).repeat_interleave(across, 3)[..., :height, :width]
    return (luma + spread.reshape(x.shape)).clamp(0, 1)


def denoise(x: Picture, luma: float, chroma: float, radius: int) -> Picture:
    """Bilateral filter of luma and of the colour differences, clipped to [0, 1]; see `profile.Denoise`.

    Source: C. Tomasi and R. Manduchi, Bilateral filtering for gray and color images, ICCV 1998.
    """
    grey = luma_of(x)
    return (_bilateral(grey, luma, radius) + _bilateral(x - grey, chroma, radius)).clamp(0, 1)


def _bilateral(x: Float[Tensor, "*b c h w"], strength: float, radius: int) -> Float[Tensor, "*b c h w"]:
    """Mean over the neighbours, weighted by distance in space (deviation radius / 2) and in value (`strength`)."""
    if strength == 0:
        return x
    height, width = x.shape[-2:]
    padded = mirrored(mirrored(x, x.ndim - 2, radius), x.ndim - 1, radius)
    total, weights = torch.zeros_like(x), torch.zeros_like(x[..., :1, :, :])
    for down in range(2 * radius + 1):
        for across in range(2 * radius + 1):
            other = padded[..., down : down + height, across : across + width]
            far = ((down - radius) ** 2 + (across - radius) ** 2) * 2 / radius**2
            weight = torch.exp(-(other - x).square().sum(-3, keepdim=True) / (2 * strength**2) - far)
            total, weights = total + weight * other, weights + weight
    return total / weights


def mirrored(x: Tensor, axis: int, margin: int) -> Tensor:
    """Extend an axis by `margin` pixels on both sides by reflection, several times if the margin is wide."""
    length = x.shape[axis]
    period = max(2 * (length - 1), 1)
    place = torch.arange(-margin, length + margin, device=x.device).remainder(period)
    return x.index_select(axis, torch.minimum(place, (period - place).clamp(min=0)))


def low_resolution(x: Picture, factor: int) -> Picture:
    """Downscale by `factor` (to at least one pixel), then upscale to the old size, both bilinear."""
    height, width = x.shape[-2:]
    # Anti-aliased like a low-resolution sensor or pixel binning; point sampling would add false detail.
    small = shrunk(x, factor)
    planes = small.reshape(-1, *small.shape[-3:])
    return F.interpolate(planes, (height, width), mode="bilinear", align_corners=False).reshape(x.shape)


def shrunk(x: Picture, factor: float) -> Picture:
    """1 / `factor` of the height and width, rounded to whole pixels, at least one; bilinear, antialiased."""
    height, width = x.shape[-2:]
    small = (max(1, round(height / factor)), max(1, round(width / factor)))
    planes = x.reshape(-1, 3, height, width)
    resized = F.interpolate(planes, small, mode="bilinear", align_corners=False, antialias=True)
    return resized.reshape(*x.shape[:-2], *small)


def enlarged(x: Picture, height: int, width: int) -> Picture:
    """The picture at this larger size, bicubic, clipped to [0, 1]."""
    planes = x.reshape(-1, *x.shape[-3:])
    resized = F.interpolate(planes, (height, width), mode="bicubic", align_corners=False)
    return resized.clamp(0, 1).reshape(*x.shape[:-2], height, width)


def coded(x: Picture, codec: Callable[[Rgb8], Rgb8]) -> Picture:
    """Pass 8-bit pictures through a codec; the gradient is that of the identity (straight-through)."""
    pictures = x.detach().reshape(-1, *x.shape[-3:]).cpu()
    decoded = torch.stack([_coded_once(picture, codec) for picture in pictures])
    return x + (decoded.to(x).reshape(x.shape) - x).detach()


def _coded_once(picture: Float[Tensor, "3 h w"], codec: Callable[[Rgb8], Rgb8]) -> Float[Tensor, "3 h w"]:
    rgb = round_half_up(picture * 255).clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    return torch.from_numpy(codec(rgb)).permute(2, 0, 1).float() / 255


def through_jpeg(rgb: Rgb8, quality: int) -> Rgb8:
    """The picture after JPEG compression at that quality, 1 to 100."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def sensor_noise(linear: Picture, shot: float, read: float, generator: torch.Generator) -> Picture:
    """Add Gaussian noise of variance shot * x + read^2 to linear light, clip to [0, 1]. Simulation only.

    Source: the heteroscedastic approximation of photon and read noise, Foi et al., IEEE TIP 17(10), 2008.
    """
    noise = torch.randn(linear.shape, generator=generator, dtype=linear.dtype, device=generator.device)
    noise = noise.to(linear.device)
    return (linear + noise * (shot * linear.clamp(min=0) + read**2).sqrt()).clamp(0, 1)

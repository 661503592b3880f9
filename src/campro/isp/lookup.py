"""The 8-bit path: a profile applied to 8-bit pictures by one table look-up for each pixel.

A pointwise profile maps each of the 2^24 colours to one colour. `colour_table` computes the output of all of them once,
in float64 (64 MiB for a profile); `reference_level` defines the order of operations and so every bit of the result.
Neighbouring pixels have similar colours, so the look-ups of a photograph mostly hit the processor's caches.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import UInt8, UInt32
from numba import prange

from campro.core.checks import check_rgb8
from campro.core.images import to_rgb8, to_tensor
from campro.core.kernels import njit
from campro.isp.functional import degamma
from campro.isp.pipeline import IspPipeline
from campro.isp.pointwise import is_pointwise
from campro.isp.profile import Block, Ccm, Degamma, GammaLut, IspProfile, MeasuredDegamma, Quantise

CHUNK = 16384
"""Pixels in one task of a thread."""


def apply(
    profile: IspProfile, rgb: UInt8[np.ndarray, "H W 3"] | UInt8[np.ndarray, "N H W 3"]
) -> UInt8[np.ndarray, "..."]:
    """The output of a camera with this profile for one sRGB picture or a stack of them; a new array of the same shape.

    Raises:
        CamproError: if `rgb` is not a uint8 array (..., H, W, 3).
    """
    check_rgb8(rgb, "apply")
    if not profile.blocks or rgb.size == 0:
        return rgb.copy()
    if not is_pointwise(profile.blocks):
        return _apply_spatial(profile, rgb)
    return look_up(rgb, colour_table(profile.blocks))


def look_up(rgb: UInt8[np.ndarray, "... 3"], table: UInt32[np.ndarray, "16777216"]) -> UInt8[np.ndarray, "... 3"]:
    """The colour in bits 0 to 23 of the table entry of each pixel; the table has the layout of `colour_table`."""
    flat = np.ascontiguousarray(rgb).reshape(-1, 3)
    out = np.empty_like(flat)
    _look_up(flat, table, out)
    return out.reshape(rgb.shape)


def _apply_spatial(profile: IspProfile, rgb: np.ndarray) -> np.ndarray:
    """Profiles with spatial blocks (blur, resizing, noise, JPEG) run through the pipeline, one picture at a time."""
    pipe = IspPipeline.from_profile(profile)
    frames = rgb.reshape(-1, *rgb.shape[-3:])
    with torch.inference_mode():
        done = [to_rgb8(pipe(to_tensor(frame)).clamp(0, 1)) for frame in frames]
    return np.concatenate(done).reshape(rgb.shape)


@lru_cache(maxsize=4)
def colour_table(blocks: tuple[Block, ...]) -> UInt32[np.ndarray, "16777216"]:
    """Output colours of a pointwise chain for all input colours; both are packed as red << 16 | green << 8 | blue."""
    curve = torch.arange(256, dtype=torch.float64) / 255
    ccm, lut, levels = Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), GammaLut(((0.0, 1.0),)), 255
    for block in blocks:
        match block:
            case Degamma():
                curve = degamma(curve, block.curve)
            case MeasuredDegamma():
                even = np.linspace(0, 1, len(block.values))
                curve = torch.from_numpy(np.interp(curve.numpy(), even, block.values))
            case Ccm():
                ccm = block
            case GammaLut():
                lut = block
            case Quantise():
                levels = 2**block.bits - 1
    knots = np.array(lut.positions)
    values = np.ascontiguousarray(np.broadcast_to(lut.values, (3, len(knots))), dtype=np.float64)
    return _fill(curve.numpy(), np.array(ccm.matrix), np.array(ccm.offsets), knots, values, levels)


@njit(cache=True, inline="always")
def reference_level(
    r,
    g,
    b,
    channel,
    curve,
    matrix,
    offsets,
    knots,
    values,
    levels,
):
    """One output level, 0 to 255, of colour (r, g, b): the definition of the 8-bit path, in float64.

    `curve` is the linear value of each of 256 levels; `values` (3, k) are the gamma LUT's values at `knots` (k). The
    camera rounds to multiples of 1 / `levels`; if that is not 255, the result is then rounded to 8 bits.
    """
    mixed = matrix[channel, 0] * curve[r] + matrix[channel, 1] * curve[g] + matrix[channel, 2] * curve[b]
    mixed = min(max(mixed + offsets[channel], 0.0), 1.0)
    left = min(np.searchsorted(knots, mixed, side="right") - 1, len(knots) - 2)
    share = (mixed - knots[left]) / (knots[left + 1] - knots[left])
    low, high = values[channel, left], values[channel, left + 1]
    value = low + share * (high - low)
    if levels != 255:
        value = np.floor(value * levels + 0.5) / levels
    return np.uint32(np.floor(value * 255 + 0.5))


@njit(cache=True, parallel=True, nogil=True)
def _fill(curve, matrix, offsets, knots, values, levels):
    table = np.empty(1 << 24, np.uint32)
    for r in prange(256):
        for g in range(256):
            for b in range(256):
                packed = np.uint32(0)
                for channel in range(3):
                    level = reference_level(r, g, b, channel, curve, matrix, offsets, knots, values, levels)
                    packed = (packed << np.uint32(8)) | level
                table[(r << 16) | (g << 8) | b] = packed
    return table


@njit(cache=True, parallel=True, nogil=True)
def _look_up(rgb, table, out):
    for chunk in prange((len(rgb) + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(rgb))):
            packed = table[(np.uint32(rgb[i, 0]) << 16) | (np.uint32(rgb[i, 1]) << 8) | rgb[i, 2]]
            out[i, 0], out[i, 1], out[i, 2] = (packed >> 16) & 255, (packed >> 8) & 255, packed & 255

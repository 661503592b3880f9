"""The fast path: a profile applied to 8-bit pictures by one fused, multi-threaded kernel.

A profile that maps each colour on its own is a function of 2^24 colours. It is worked out once for all of them, in
float64 and in the order of `reference_point`, and kept (64 MiB a profile); from then on a pixel costs one look-up,
which is bit-identical to the definition because it *is* the definition. Neighbouring pixels have similar colours,
so the look-ups of a photograph stay in the processor's caches.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import UInt8, UInt32
from numba import njit, prange

from campro.core.checks import check_rgb8
from campro.core.images import to_rgb8, to_tensor
from campro.isp.functional import degamma
from campro.isp.pipeline import IspPipeline
from campro.isp.profile import Block, Ccm, Degamma, GammaLut, IspProfile, MeasuredDegamma, Quantise

CHUNK = 16384  # pixels that a thread takes at a time


def apply(
    profile: IspProfile, rgb: UInt8[np.ndarray, "H W 3"] | UInt8[np.ndarray, "N H W 3"]
) -> UInt8[np.ndarray, "..."]:
    """What a camera with this profile hands out instead of `rgb`; a new array of the same shape.

    Raises:
        CamproError: where `rgb` is not a uint8 picture or a stack of them.
    """
    check_rgb8(rgb, "apply")
    if not profile.blocks or rgb.size == 0:
        return rgb.copy()
    if not is_pointwise(profile.blocks):
        return _apply_spatial(profile, rgb)
    return look_up(rgb, colour_table(profile.blocks))


def look_up(rgb: UInt8[np.ndarray, "... 3"], table: UInt32[np.ndarray, "16777216"]) -> UInt8[np.ndarray, "... 3"]:
    """The low 24 bits of the table's entry for each colour; packed as by `colour_table`."""
    flat = np.ascontiguousarray(rgb).reshape(-1, 3)
    out = np.empty_like(flat)
    _look_up(flat, table, out)
    return out.reshape(rgb.shape)


def _apply_spatial(profile: IspProfile, rgb: np.ndarray) -> np.ndarray:
    """Blocks that look at neighbours go through the differentiable pipeline, a frame at a time."""
    pipe = IspPipeline.from_profile(profile)
    frames = rgb.reshape(-1, *rgb.shape[-3:])
    with torch.inference_mode():
        done = [to_rgb8(pipe(to_tensor(frame)).clamp(0, 1)) for frame in frames]
    return np.concatenate(done).reshape(rgb.shape)


def is_pointwise(blocks: tuple[Block, ...]) -> bool:
    """Whether the chain has the form `degamma, ccm, gamma LUT, 8-bit rounding`, each optional."""
    kinds = [type(block) for block in blocks]
    in_order = [kind for kind in (Degamma, MeasuredDegamma, Ccm, GammaLut, Quantise) if kind in kinds]
    once = Degamma not in kinds or MeasuredDegamma not in kinds
    return once and kinds == in_order and all(block.bits == 8 for block in blocks if isinstance(block, Quantise))


@lru_cache(maxsize=4)
def colour_table(blocks: tuple[Block, ...]) -> UInt32[np.ndarray, "16777216"]:
    """Output of every colour, red << 16 | green << 8 | blue, at the index of the input packed the same way."""
    curve = torch.arange(256, dtype=torch.float64) / 255
    ccm, lut = Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), GammaLut(((0.0, 1.0),))
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
    knots = np.array(lut.positions)
    values = np.ascontiguousarray(np.broadcast_to(lut.values, (3, len(knots))), dtype=np.float64)
    return _fill(curve.numpy(), np.array(ccm.matrix), np.array(ccm.offsets), knots, values)


@njit(cache=True, inline="always")
def reference_point(
    r,
    g,
    b,
    channel,
    curve,
    matrix,
    offsets,
    knots,
    values,
):
    """One output byte in float64, in this order of operations: the definition of the fast path."""
    mixed = matrix[channel, 0] * curve[r] + matrix[channel, 1] * curve[g] + matrix[channel, 2] * curve[b]
    mixed = min(max(mixed + offsets[channel], 0.0), 1.0)
    left = min(np.searchsorted(knots, mixed, side="right") - 1, len(knots) - 2)
    share = (mixed - knots[left]) / (knots[left + 1] - knots[left])
    low, high = values[channel, left], values[channel, left + 1]
    return np.uint32(np.floor((low + share * (high - low)) * 255 + 0.5))


@njit(cache=True, parallel=True, nogil=True)
def _fill(curve, matrix, offsets, knots, values):
    table = np.empty(1 << 24, np.uint32)
    for r in prange(256):
        for g in range(256):
            for b in range(256):
                packed = np.uint32(0)
                for channel in range(3):
                    level = reference_point(r, g, b, channel, curve, matrix, offsets, knots, values)
                    packed = (packed << np.uint32(8)) | level
                table[(r << 16) | (g << 8) | b] = packed
    return table


@njit(cache=True, parallel=True, nogil=True)
def _look_up(rgb, table, out):
    for chunk in prange((len(rgb) + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(rgb))):
            packed = table[(np.uint32(rgb[i, 0]) << 16) | (np.uint32(rgb[i, 1]) << 8) | rgb[i, 2]]
            out[i, 0], out[i, 1], out[i, 2] = (packed >> 16) & 255, (packed >> 8) & 255, packed & 255

"""The pointwise blocks of the differentiable pipeline as one autograd function, with kernels for the CPU.

Block by block, autograd would store every intermediate picture and the indices of the LUT. This function stores only
the picture in linear light; the backward pass computes the rest again for each pixel. Sums over pixels have a fixed
order, so results are the same on every run and for any number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numba import prange
from torch import Tensor
from torch.autograd.function import once_differentiable

from campro.core.kernels import njit
from campro.core.types import Images
from campro.isp.functional import degamma

CHUNK = 8192
"""Pixels in one task of a thread; gradients are summed in a task first, then over tasks."""
TINY = 1e-12
"""Smallest divisor, for black pixels, whose slope is 0."""
BINS = 1024
"""Equal parts of [0, 1]; for each, the first knot of the search for an interval of the LUT is tabulated."""


def fused_colour_blocks(
    images: Images,
    curve: str | None,
    matrix: Float[Tensor, "3 3"],
    offsets: Float[Tensor, "3"],
    values: Float[Tensor, "c k"],
    knots: Float[Tensor, "k"],
    levels: int,
) -> Images:
    """Degamma, CCM, clipping, gamma LUT and rounding of pictures (B, 3, H, W) in [0, 1], on the CPU.

    The result and the gradients equal those of `campro.isp.functional`, one function after the other.

    Args:
        images: sRGB pictures, or linear ones if `curve` is None.
        curve: degamma curve as of `functional.degamma`; None: no degamma.
        matrix: colour correction matrix; row = output channel.
        offsets: added after the matrix.
        values: values of the gamma LUT in [0, 1], one curve (c = 1) or one for each channel (c = 3).
        knots: inputs of these values, rising strictly from 0 to 1.
        levels: the output is rounded to multiples of 1 / levels; 0: no rounding.
    """
    out: Tensor = _Fused.apply(images, curve, matrix, offsets, values.expand(3, -1), knots, levels)
    return out


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        curve: str | None,
        matrix: Tensor,
        offsets: Tensor,
        values: Tensor,
        knots: Tensor,
        levels: int,
    ) -> Tensor:
        linear = (images if curve is None else degamma(images, curve)).contiguous()
        out = torch.empty_like(linear)
        m, o, v, k = _arrays(linear, matrix, offsets, values, knots)
        _forward(_planes(linear), _planes(out), m, o, v, k, levels)
        ctx.save_for_backward(images, linear, matrix, offsets, values, knots)
        ctx.curve = curve
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        images, linear, matrix, offsets, values, knots = ctx.saved_tensors
        m, o, v, k = _arrays(linear, matrix, offsets, values, knots)
        wants_images = ctx.needs_input_grad[0]
        to_linear = torch.empty_like(linear) if wants_images else linear[:0]
        gradient = _planes(grads[0].contiguous())
        sums = _backward(_planes(linear), gradient, _planes(to_linear), m, o, v, k, wants_images)
        to_matrix, to_offsets, to_values = (
            torch.from_numpy(part.sum(0)).to(like.dtype) for part, like in zip(sums, (matrix, offsets, values))
        )
        to_images = _through_degamma(images, linear, to_linear, ctx.curve) if wants_images else None
        return to_images, None, to_matrix, to_offsets, to_values, None, None


def _planes(pictures: Tensor) -> Float[np.ndarray, "B 3 N"]:
    """A view of pictures (B, 3, H, W) as numpy array (B, 3, H * W)."""
    return pictures.detach().flatten(2).numpy()


def _arrays(like: Tensor, *parameters: Tensor) -> list[np.ndarray]:
    return [parameter.detach().to(like.dtype).contiguous().numpy() for parameter in parameters]


def _through_degamma(images: Tensor, linear: Tensor, gradient: Tensor, curve: str | None) -> Tensor:
    """The gradient times the slope of degamma; (x^p)' = p x^p / x needs no further power."""
    if curve is None:
        return gradient
    if curve == "power-2.2":
        return gradient.mul_(linear).mul_(2.2).div_(images.clamp(min=TINY))
    bright = gradient * linear * 2.4 / (images.clamp(min=0) + 0.055)
    return torch.where(images <= 0.04045, gradient / 12.92, bright)


@njit(cache=True)
def _first_guesses(knots):
    """Index of the last knot at or left of the start of each of the BINS parts of [0, 1]."""
    begins = np.arange(BINS + 1) / BINS
    return np.minimum(np.maximum(np.searchsorted(knots, begins, side="right") - 1, 0), len(knots) - 2)


@njit(cache=True, inline="always")
def _interval(x, knots, guesses):
    """Index of the last knot at or left of x."""
    left = guesses[int(x * BINS)]
    while left < len(knots) - 2 and x >= knots[left + 1]:
        left += 1
    while left > 0 and x < knots[left]:  # x * BINS was rounded up
        left -= 1
    return left


@njit(cache=True, parallel=True, nogil=True)
def _forward(linear, out, matrix, offsets, values, knots, levels):
    pixels = linear.shape[2]
    guesses, chunks = _first_guesses(knots), (pixels + CHUNK - 1) // CHUNK
    zero, one = linear.dtype.type(0), linear.dtype.type(1)
    half, steps = linear.dtype.type(0.5), linear.dtype.type(levels)
    for job in prange(linear.shape[0] * chunks):
        picture, start = job // chunks, job % chunks * CHUNK
        for i in range(start, min(start + CHUNK, pixels)):
            r, g, b = linear[picture, 0, i], linear[picture, 1, i], linear[picture, 2, i]
            for c in range(3):
                x = matrix[c, 0] * r + matrix[c, 1] * g + matrix[c, 2] * b + offsets[c]
                x = min(max(x, zero), one)
                k = _interval(x, knots, guesses)
                share = (x - knots[k]) / (knots[k + 1] - knots[k])
                y = values[c, k] + share * (values[c, k + 1] - values[c, k])
                out[picture, c, i] = np.floor(y * steps + half) / steps if levels else y


@njit(cache=True, parallel=True, nogil=True)
def _backward(linear, gradient, to_linear, matrix, offsets, values, knots, wants_linear):
    pixels = linear.shape[2]
    guesses, chunks = _first_guesses(knots), (pixels + CHUNK - 1) // CHUNK
    jobs, points = linear.shape[0] * chunks, len(knots)
    zero, one = linear.dtype.type(0), linear.dtype.type(1)
    density = one / (knots[1:] - knots[:-1])
    slopes = (values[:, 1:] - values[:, :-1]) * density
    # float64 sums, one row for each task: their order does not depend on the threads
    to_matrix, to_offsets = np.zeros((jobs, 3, 3)), np.zeros((jobs, 3))
    to_values = np.zeros((jobs, 3, points))
    for job in prange(jobs):
        picture, start = job // chunks, job % chunks * CHUNK
        for i in range(start, min(start + CHUNK, pixels)):
            r, g, b = linear[picture, 0, i], linear[picture, 1, i], linear[picture, 2, i]
            back_r, back_g, back_b = zero, zero, zero
            for c in range(3):
                mixed = matrix[c, 0] * r + matrix[c, 1] * g + matrix[c, 2] * b + offsets[c]
                x = min(max(mixed, zero), one)
                k = _interval(x, knots, guesses)
                share, grad = (x - knots[k]) * density[k], gradient[picture, c, i]
                to_values[job, c, k] += grad * (one - share)
                to_values[job, c, k + 1] += grad * share
                if mixed < zero or mixed > one:  # clipped: no gradient
                    continue
                back = grad * slopes[c, k]
                to_matrix[job, c, 0] += back * r
                to_matrix[job, c, 1] += back * g
                to_matrix[job, c, 2] += back * b
                to_offsets[job, c] += back
                back_r += back * matrix[c, 0]
                back_g += back * matrix[c, 1]
                back_b += back * matrix[c, 2]
            if wants_linear:
                to_linear[picture, 0, i], to_linear[picture, 1, i], to_linear[picture, 2, i] = back_r, back_g, back_b
    return to_matrix, to_offsets, to_values

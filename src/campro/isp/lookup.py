"""Pointwise profiles on 8-bit colours: the definition of the result, and tables of all 2^24 colours.

`reference_level` defines the order of operations, in float64, and so every bit of the 8-bit path (`eight_bit.apply`).
`colour_table` is its output for all colours (64 MiB): for inversion, and for comparisons over all colours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8, UInt32
from numba import prange

from campro.core.kernels import njit
from campro.isp.linear_light import linear_levels
from campro.isp.profile import Block, Ccm, Degamma, GammaLut, MeasuredDegamma, Quantise

CHUNK = 16384
"""Pixels in one task of a thread."""
BINS = 4096
"""Inputs of a curve at which a search for a knot begins; a power of two, so that products with it are exact."""


def look_up(rgb: UInt8[np.ndarray, "... 3"], table: UInt32[np.ndarray, "16777216"]) -> UInt8[np.ndarray, "... 3"]:
    """The colour in bits 0 to 23 of the table entry of each pixel; the table has the layout of `colour_table`."""
    flat = np.ascontiguousarray(rgb).reshape(-1, 3)
    out = np.empty_like(flat)
    _look_up(flat, table, out)
    return out.reshape(rgb.shape)


class ColourChain(NamedTuple):
    """The numbers of a pointwise chain, in float64: what `reference_level` takes after the colour and the channel."""

    curve: Float[np.ndarray, "256"]
    """Linear value of each level."""
    matrix: Float[np.ndarray, "3 3"]
    """Colour correction matrix; row = output channel."""
    offsets: Float[np.ndarray, "3"]
    """Added after the matrix."""
    knots: Float[np.ndarray, "k"]
    """Inputs of the gamma LUT, from 0 to 1."""
    values: Float[np.ndarray, "3 k"]
    """Values of the gamma LUT at its knots, one curve for each channel."""
    levels: int
    """The camera rounds to multiples of 1 / levels."""


def colour_chain(blocks: tuple[Block, ...]) -> ColourChain:
    """The numbers of a pointwise chain; blocks that it does not have leave colours as they are."""
    curve = np.arange(256) / 255
    ccm, lut, levels = Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), GammaLut(((0.0, 1.0),)), 255
    for block in blocks:
        match block:
            case Degamma():
                curve = linear_levels(block.curve)
            case MeasuredDegamma():
                even = np.linspace(0, 1, len(block.values))
                curve = np.interp(curve, even, block.values)
            case Ccm():
                ccm = block
            case GammaLut():
                lut = block
            case Quantise():
                levels = 2**block.bits - 1
    numbers = (curve, ccm.matrix, ccm.offsets, lut.positions, np.broadcast_to(lut.values, (3, len(lut.positions))))
    # Copies in float64: kernels are compiled again for integers and for arrays that cannot be written.
    curve, matrix, offsets, knots, values = (np.array(each, np.float64, order="C") for each in numbers)
    return ColourChain(curve, matrix, offsets, knots, values, levels)


@lru_cache(maxsize=4)
def colour_table(blocks: tuple[Block, ...]) -> UInt32[np.ndarray, "16777216"]:
    """Output colours of a pointwise chain for all input colours; both are packed as red << 16 | green << 8 | blue."""
    return _fill(*colour_chain(blocks))


@njit(cache=True)
def reference_level(r, g, b, channel, curve, matrix, offsets, knots, values, levels):
    """One output level, 0 to 255, of colour (r, g, b): the definition of the 8-bit path, in float64.

    The camera rounds to multiples of 1 / `levels`; if that is not 255, the result is then rounded to 8 bits.
    """
    mixed = matrix[channel, 0] * curve[r] + matrix[channel, 1] * curve[g] + matrix[channel, 2] * curve[b]
    mixed = min(max(mixed + offsets[channel], 0.0), 1.0)
    left = min(np.searchsorted(knots, mixed, side="right") - 1, len(knots) - 2)
    share = (mixed - knots[left]) / (knots[left + 1] - knots[left])
    low, high = values[channel, left], values[channel, left + 1]
    return rounded_level(low + share * (high - low), levels)


@njit(cache=True)
def rounded_level(value, levels):
    """The output level, 0 to 255, of a value of the gamma LUT."""
    if levels != 255:
        value = np.floor(value * levels + 0.5) / levels
    return np.uint32(np.floor(value * 255 + 0.5))


@njit(cache=True)
def _starts(knots):
    """Index of the last knot, but for the end, at or below each i / BINS."""
    starts = np.empty(BINS + 1, np.int64)
    for i in range(BINS + 1):
        starts[i] = min(np.searchsorted(knots, i / BINS, side="right") - 1, len(knots) - 2)
    return starts


@njit(cache=True, parallel=True, nogil=True)
def _fill(curve, matrix, offsets, knots, values, levels):
    """`reference_level` of all colours by the same operations; the search for a knot begins near it."""
    table, starts, last = np.empty(1 << 24, np.uint32), _starts(knots), len(knots) - 2
    for r in prange(256):
        for g in range(256):
            place = r << 16 | g << 8
            table[place : place + 256] = 0
            for channel in range(3):
                both, of_blue = matrix[channel, 0] * curve[r] + matrix[channel, 1] * curve[g], matrix[channel, 2]
                for b in range(256):
                    mixed = min(max(both + of_blue * curve[b] + offsets[channel], 0.0), 1.0)
                    left = starts[int(mixed * BINS)]
                    while left < last and knots[left + 1] <= mixed:
                        left += 1
                    share = (mixed - knots[left]) / (knots[left + 1] - knots[left])
                    low, high = values[channel, left], values[channel, left + 1]
                    level = rounded_level(low + share * (high - low), levels)
                    table[place | b] = table[place | b] << np.uint32(8) | level
    return table


@njit(cache=True, parallel=True, nogil=True)
def _look_up(rgb, table, out):
    for chunk in prange((len(rgb) + CHUNK - 1) // CHUNK):
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(rgb))):
            packed = table[(np.uint32(rgb[i, 0]) << 16) | (np.uint32(rgb[i, 1]) << 8) | rgb[i, 2]]
            out[i, 0], out[i, 1], out[i, 2] = (packed >> 16) & 255, (packed >> 8) & 255, packed & 255

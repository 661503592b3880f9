"""The 8-bit path: a profile applied to 8-bit pictures, exact for every colour.

The input of the gamma LUT is a sum of three products. It is computed in integers, for all three channels in one 64-bit
number, and a small table gives its output level. An entry of the table in which the output changes has the number of a
step, which says where; sums closer to the change than rounding errors are computed by `reference_level`, in float64.
A table of all 2^24 colours (`lookup.colour_table`) needs fewer operations, but its 64 MiB miss the processor's caches
on noisy pictures, and it takes a second to fill.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8, UInt16, UInt64
from numba import prange

from campro.core.checks import check_rgb8
from campro.core.kernels import njit
from campro.isp.lookup import CHUNK, ColourChain, colour_chain, reference_level, rounded_level
from campro.isp.pointwise import is_pointwise
from campro.isp.profile import Block, IspProfile

FIELD = 21
"""Bits of the sum of a channel; three of them fill a 64-bit number."""
SHIFT = 5
"""log2 of the sums that share an entry of the table of levels: 64 Ki entries for each channel."""
ROUNDING = 2
"""By how much a sum of three rounded products can be off."""
MARGIN = 1e-9
"""More than float64 is off by, in the input or the output of the gamma LUT."""
UNDECIDED = 256
"""Entries from here on are inputs for which the output changes."""
MOST_STEPS = 1 << 16
"""As entries have 16 bits."""


class _Plan(NamedTuple):
    """A pointwise chain in integers."""

    products: UInt64[np.ndarray, "3 256"]
    """For each level of an input channel: what it adds to the three sums, packed."""
    table: UInt16[np.ndarray, "3 entries"]
    """For each output channel and sum: a row of `steps`; below UNDECIDED it is the output level as well."""
    steps: Int64[np.ndarray, "n 4"]
    """Sums below column 0 have the level in column 2, sums above column 1 that in column 3; the others need float64."""


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
    return apply_pointwise(profile.blocks, rgb)


def apply_pointwise(blocks: tuple[Block, ...], rgb: UInt8[np.ndarray, "... 3"]) -> UInt8[np.ndarray, "... 3"]:
    """The output of a pointwise chain, as in `lookup.colour_table`: other blocks leave colours as they are."""
    flat = np.ascontiguousarray(rgb).reshape(-1, 3)
    out = np.empty_like(flat)
    plan, chain = _plan(blocks)
    _apply(flat, out, plan, chain)
    return out.reshape(rgb.shape)


def _apply_spatial(profile: IspProfile, rgb: np.ndarray) -> np.ndarray:
    """Profiles with spatial blocks (blur, resizing, noise, JPEG) run through the pipeline, one picture at a time."""
    import torch  # and the pipeline: only here, since that takes seconds

    from campro.core.images import to_rgb8, to_tensor
    from campro.isp.isp_pipeline import IspPipeline

    pipe = IspPipeline.from_profile(profile)
    frames = rgb.reshape(-1, *rgb.shape[-3:])
    with torch.inference_mode():
        done = [to_rgb8(pipe(to_tensor(frame)).clamp(0, 1)) for frame in frames]
    return np.concatenate(done).reshape(rgb.shape)


@lru_cache(maxsize=16)
def _plan(blocks: tuple[Block, ...]) -> tuple[_Plan, ColourChain]:
    chain = colour_chain(blocks)
    shares = chain.matrix[:, :, None] * chain.curve  # output channel, input channel, level
    least = shares.min(2, keepdims=True)
    span = np.maximum((shares - least).max(2).sum(1), 1e-3)
    scale = (2**FIELD - 2 * ROUNDING) / span  # of sums: this much for 1 of the gamma LUT's input
    fields = np.rint((shares - least) * scale[:, None, None]).astype(np.uint64)
    products = fields[0] | fields[1] << np.uint64(FIELD) | fields[2] << np.uint64(2 * FIELD)
    start = least.sum((1, 2)) + chain.offsets  # the gamma LUT's input, before clipping, where the sum is 0
    table, steps = _fill_levels(start, scale, chain.knots, chain.values, chain.levels)
    return _Plan(products, table, steps), chain


@njit(cache=True)
def _fill_levels(start, scale, knots, values, levels):
    """The table and the steps of a plan. Row UNDECIDED stands for entries with several steps: all need float64."""
    table = np.empty((3, 1 << FIELD - SHIFT), np.uint16)
    steps = np.full((MOST_STEPS, 4), -1, np.int64)
    steps[:UNDECIDED, 3] = np.arange(UNDECIDED)
    steps[UNDECIDED, 1] = 1 << FIELD
    count = UNDECIDED + 1
    for channel in range(3):
        curve = (start[channel], scale[channel], knots, values[channel], levels)
        for entry in range(table.shape[1]):
            first = entry << SHIFT
            level = _decide(first, first + (1 << SHIFT) - 1, *curve)
            if level == UNDECIDED and count < MOST_STEPS and _find_step(first, steps[count], *curve):
                level = count
                count += 1
            table[channel, entry] = level
    return table, steps[:count].copy()


@njit(cache=True)
def _find_step(first, step, start, scale, knots, values, levels):
    """Write the one step of the output in the entry that begins with sum `first`; False if it has several."""
    begin, end = first, first + (1 << SHIFT) - 1
    step[2] = _decide(begin, begin, start, scale, knots, values, levels)
    while begin < end and _decide(first, begin, start, scale, knots, values, levels) == step[2]:
        begin += 1
    last = end
    step[3] = _decide(last, last, start, scale, knots, values, levels)
    while end > first and _decide(end, last, start, scale, knots, values, levels) == step[3]:
        end -= 1
    step[0], step[1] = begin, end
    return step[2] < UNDECIDED and step[3] < UNDECIDED


@njit(cache=True)
def _decide(first, last, start, scale, knots, values, levels):
    """The level of all inputs of the gamma LUT for which the sum can be `first` to `last`; UNDECIDED if they differ."""
    low = start + (first - ROUNDING) / scale - MARGIN
    high = start + (last + ROUNDING) / scale + MARGIN
    least, most = _extremes(min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0), knots, values)
    level = rounded_level(max(least - MARGIN, 0.0), levels)
    return np.int64(level) if level == rounded_level(most + MARGIN, levels) else UNDECIDED


@njit(cache=True)
def _extremes(low, high, knots, values):
    """Least and greatest value of a piecewise linear curve from `low` to `high`: at the ends or at a knot."""
    ends = np.interp(np.array([low, high]), knots, values)
    least, most = min(ends[0], ends[1]), max(ends[0], ends[1])
    for value in values[np.searchsorted(knots, low) : np.searchsorted(knots, high, side="right")]:
        least, most = min(least, value), max(most, value)
    return least, most


@njit(cache=True, parallel=True, nogil=True)
def _apply(rgb, out, plan, chain):
    for chunk in prange((len(rgb) + CHUNK - 1) // CHUNK):
        begin, end = chunk * CHUNK, min((chunk + 1) * CHUNK, len(rgb))
        undecided = np.empty(CHUNK, np.uint32)
        count = _look_up(rgb, out, begin, end, plan.products, plan.table, undecided)
        _decide_pixels(rgb, out, undecided[:count], plan, chain)


@njit(cache=True)
def _look_up(rgb, out, begin, end, products, table, undecided):
    """Levels from the table; how many pixels are undecided, with their indices."""
    mask = np.uint64(((1 << FIELD) - 1) >> SHIFT)
    to_red, to_green, to_blue = np.uint64(SHIFT), np.uint64(FIELD + SHIFT), np.uint64(2 * FIELD + SHIFT)
    of_red, of_green, of_blue = products[0], products[1], products[2]
    reds, greens, blues = table[0], table[1], table[2]
    count = np.uint64(0)
    for i in range(np.uint64(begin), np.uint64(end)):
        sums = of_red[rgb[i, 0]] + of_green[rgb[i, 1]] + of_blue[rgb[i, 2]]
        red, green, blue = reds[(sums >> to_red) & mask], greens[(sums >> to_green) & mask], blues[sums >> to_blue]
        out[i, 0], out[i, 1], out[i, 2] = red, green, blue
        if (red | green | blue) >= UNDECIDED:
            undecided[count] = i
            count += np.uint64(1)
    return count


@njit(cache=True)
def _decide_pixels(rgb, out, undecided, plan, chain):
    """Levels of the undecided pixels: of the steps in their entries, else by definition."""
    mask, field, shift = np.uint64((1 << FIELD) - 1), np.uint64(FIELD), np.uint64(SHIFT)
    products, table, steps = plan
    curve, matrix, offsets, knots, values, levels = chain
    for i in undecided:
        r, g, b = rgb[i, 0], rgb[i, 1], rgb[i, 2]
        sums = products[0, r] + products[1, g] + products[2, b]
        for channel in range(3):
            step, total = table[channel, (sums & mask) >> shift], np.int64(sums & mask)
            out[i, channel] = steps[step, 2] if total < steps[step, 0] else steps[step, 3]
            if steps[step, 0] <= total <= steps[step, 1]:
                level = reference_level(r, g, b, channel, curve, matrix, offsets, knots, values, levels)
                out[i, channel] = level
            sums >>= field

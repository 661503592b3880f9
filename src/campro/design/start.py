"""Where a design starts: a profile, and what more of the image signal processor may take part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from campro.core.errors import CamproError
from campro.design.design_config import PLAIN
from campro.isp import Ccm, ChromaBlur, Defocus, Degamma, GammaLut, IspProfile, LowResolution, Quantise, load_profile
from campro.isp.profile import Block

REACH = 6
"""A blur's kernel, in standard deviations from end to end."""
LEAST_OFFSET = 1 / 255
"""Offsets learn where there are any; they start at one level."""


def start_profile(name: str, lut_points: int, extras: Sequence[str]) -> IspProfile:
    """The profile of that name or path, with the extras in it."""
    profile = plain(lut_points) if name == PLAIN else load_profile(name)
    for extra in extras:
        profile = with_extra(profile, extra)
    return profile


def plain(lut_points: int) -> IspProfile:
    """A camera as it comes, its gamma LUT at even knots."""
    lut = GammaLut((tuple((np.linspace(0, 1, lut_points) ** (1 / 2.2)).tolist()),))
    return IspProfile(PLAIN, (Degamma(), Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), lut, Quantise()))


def with_extra(profile: IspProfile, extra: str) -> IspProfile:
    """The profile with one more freedom or loss, written NAME or NAME=VALUE.

    Raises:
        CamproError: for an unknown name, or a value that the block refuses.
    """
    name, _, value = extra.partition("=")
    if name not in EXTRAS:
        raise CamproError("--isp", f"one of {', '.join(EXTRAS)}, with =VALUE or without", repr(extra))
    add, usual = EXTRAS[name]
    try:
        number = float(value) if value else usual
    except ValueError as error:
        raise CamproError("--isp", f"a number for {name}", repr(value)) from error
    return replace(profile, blocks=add(profile.blocks, number))


Blocks = tuple[Block, ...]


def _curve_per_channel(blocks: Blocks, _: float) -> Blocks:
    return tuple(
        replace(b, values=b.values * 3) if isinstance(b, GammaLut) and len(b.values) == 1 else b for b in blocks
    )


def _offsets(blocks: Blocks, start: float) -> Blocks:
    return tuple(replace(b, offsets=(start,) * 3) if isinstance(b, Ccm) and not any(b.offsets) else b for b in blocks)


def _coarser(blocks: Blocks, bits: float) -> Blocks:
    return (*(block for block in blocks if not isinstance(block, Quantise)), Quantise(int(bits)))


def _defocus(blocks: Blocks, sigma: float) -> Blocks:
    return (Defocus(_kernel(sigma), sigma), *blocks)


def _low_resolution(blocks: Blocks, factor: float) -> Blocks:
    return (LowResolution(int(factor)), *blocks)


def _chroma_blur(blocks: Blocks, sigma: float) -> Blocks:
    digital = [block for block in blocks if isinstance(block, Quantise)]
    return (*(block for block in blocks if block not in digital), ChromaBlur(_kernel(sigma), sigma), *digital)


def _kernel(sigma: float) -> int:
    return 2 * int(REACH * sigma / 2) + 1


EXTRAS: dict[str, tuple[Callable[[Blocks, float], Blocks], float]] = {
    "curve-per-channel": (_curve_per_channel, 0),
    "offsets": (_offsets, LEAST_OFFSET),
    "bits": (_coarser, 4),
    "defocus": (_defocus, 1.0),
    "low-resolution": (_low_resolution, 2),
    "chroma-blur": (_chroma_blur, 4.0),
}
"""What more of the image signal processor takes part, with its usual value; the first two learn, the rest take away."""

"""Pointwise profiles: which are such, and which of them the differentiable pipeline computes in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from campro.isp.profile import Block, Ccm, Degamma, GammaLut, IspProfile, MeasuredDegamma, Quantise

if TYPE_CHECKING:
    from campro.core.types import Images

POINTWISE = (Degamma, MeasuredDegamma, Ccm, GammaLut, Quantise)
"""Blocks whose output depends on the colour of the pixel alone, in the only order that counts as pointwise."""
SENSITIVITY = 1e4
"""Largest slope of a profile that float32, with rounding errors of about 2e-7, computes to half a level of 255."""
LEVEL_DISTANCE = 1e-4
"""In levels of 255: closer values are 8-bit values that were rounded to float32."""


def is_pointwise(blocks: Sequence[Block]) -> bool:
    """Whether the output of a pixel depends on its own colour alone.

    That is so for blocks in the order degamma, CCM, gamma LUT, rounding; each of them is optional.
    """
    kinds = [type(block) for block in blocks]
    in_order = [kind for kind in POINTWISE if kind in kinds]
    once = Degamma not in kinds or MeasuredDegamma not in kinds
    return once and kinds == in_order


def pointwise_part(profile: IspProfile) -> IspProfile | None:
    """The profile without its spatial blocks (scaler, noise reduction, encoder), if what is left is pointwise.

    None for a profile of spatial blocks alone. Who inverts this part has undone the profile but for lost detail.
    """
    if is_pointwise(profile.blocks):
        return profile
    colour = tuple(block for block in profile.blocks if isinstance(block, POINTWISE))
    changes = any(isinstance(block, Ccm | GammaLut) for block in colour)
    return replace(profile, blocks=colour) if changes and is_pointwise(colour) else None


def needs_float64(blocks: Sequence[Block]) -> bool:
    """Whether float32 could differ from the 8-bit path by more than one level of 255.

    That is so where curve and matrix are so steep that they enlarge rounding errors (`SENSITIVITY`), and where the
    output has less than 8 bits, so that one step of it is several levels of 255. Other than pointwise profiles have
    no 8-bit path of their own.
    """
    if not is_pointwise(blocks):
        return False
    slope = 1.0
    for block in blocks:
        match block:
            case Degamma():
                slope *= 2.4
            case MeasuredDegamma():
                slope *= max(1.0, float(np.diff(block.values).max()) * (len(block.values) - 1))
            case Ccm():
                slope *= max(1.0, float(np.abs(block.matrix).sum(1).max()))
            case GammaLut():
                slope *= max(1.0, float(np.abs(np.diff(block.values) / np.diff(block.positions)).max()))
            case Quantise():
                if block.bits < 8:
                    return True
    return slope > SENSITIVITY


def exact_levels(images: Images) -> Images:
    """Pictures in float64, with multiples of 1 / 255 that were rounded to float32 restored; the gradient is 1."""
    import torch

    wide = images.double()
    level = (wide.detach() * 255).round()
    near = (wide.detach() * 255 - level).abs() < LEVEL_DISTANCE
    return wide + torch.where(near, level / 255 - wide.detach(), 0.0)

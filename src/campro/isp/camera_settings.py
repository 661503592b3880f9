"""Blocks of a profile that no matrix and no curve can replace: settings that a user makes at the camera or its encoder.

A profile for cameras is a chain of degamma, CCM, gamma LUT and rounding to 8 bits (`campro.isp.limits.parts`), which
camera files hold. Other blocks may stand before and behind it.
"""

from __future__ import annotations

from dataclasses import replace

from campro.isp.limits import parts
from campro.isp.pointwise import POINTWISE
from campro.isp.profile import (
    H264,
    Block,
    ChromaBlur,
    ChromaSubsampling,
    Defocus,
    Denoise,
    IspProfile,
    Jpeg,
    LowResolution,
    Scaler,
    SensorNoise,
)

SIMULATED = (SensorNoise,)
"""What the camera does by itself."""


def settings_of(profile: IspProfile) -> tuple[Block, ...]:
    """The blocks that a user sets at the camera or its encoder, beside the camera's files."""
    return tuple(block for block in profile.blocks if not isinstance(block, (*POINTWISE, *SIMULATED)))


def colour_part(profile: IspProfile) -> IspProfile:
    """The profile without `settings_of`: what camera files hold.

    Raises:
        CamproError: if that is no profile for cameras (see `campro.isp.limits.parts`).
    """
    settings = settings_of(profile)
    rest = replace(profile, blocks=tuple(block for block in profile.blocks if block not in settings))
    parts(rest)
    return rest


def with_colour_part(profile: IspProfile, colour: IspProfile) -> IspProfile:
    """The profile with the colour blocks of another one; settings before and behind them stay."""
    settings, blocks = settings_of(profile), list(profile.blocks)
    first = next((place for place, block in enumerate(blocks) if block not in settings), len(blocks))
    before, behind = blocks[:first], [block for block in blocks[first:] if block in settings]
    return replace(profile, blocks=(*before, *colour.blocks, *behind))


def description(block: Block) -> str:
    """One of `settings_of`, as a setting of a camera.

    >>> description(Jpeg(20))
    'JPEG quality 20 in the encoder (other encoders: the quantiser with the same AP of a person detector)'
    """
    match block:
        case Scaler(factor):
            return f"output size 1/{factor:g} of the sensor's height and width, by binning or the scaler"
        case LowResolution(factor):
            return f"output size 1/{factor} of the sensor's height and width"
        case Jpeg(quality):
            return f"JPEG quality {quality} in the encoder (other encoders: the quantiser with the same AP of a person \
detector)"
        case H264(quantiser):
            return f"H.264 with a constant quantiser (QP) of {quantiser} in the encoder, or that as its least"
        case ChromaSubsampling(form):
            return f"pixel format {form} of the stream"
        case Denoise(luma, chroma):
            return f"spatial noise reduction, luma {255 * luma:.0f} and chroma {255 * chroma:.0f} of 255 levels"
        case ChromaBlur():
            return f"chroma noise reduction, a Gaussian of {block.sigma:g} pixels"
        case Defocus():
            return f"a lens out of focus, a Gaussian of {block.sigma:g} pixels"
    return block.block

"""Start profile of a design run, with further ISP parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from campro.core.errors import CamproError
from campro.design.design_config import LINEAR, PLAIN
from campro.isp import (
    H264,
    Ccm,
    ChromaBlur,
    ChromaSubsampling,
    Defocus,
    Degamma,
    Denoise,
    GammaLut,
    IspPipeline,
    IspProfile,
    Jpeg,
    LowResolution,
    Quantise,
    Scaler,
    load_profile,
)
from campro.isp.profile import Block, ChromaFormat, Encoder

KERNEL_WIDTH = 6
"""Width of a blur kernel in standard deviations."""
EXPONENTS = {PLAIN: 1 / 2.2, LINEAR: 1.0}
"""Exponents of the curves of start profiles with an identity matrix."""
START_OFFSET = 1 / 255
"""Start value of the offsets, one 8-bit level: offsets of zero are not trained."""


def start_profile(name: str, lut_points: int, extras: Sequence[str]) -> IspProfile:
    """Load the start profile and add further ISP parameters.

    Args:
        name: `plain`, `linear`, a built-in profile, or the path of a profile file.
        lut_points: Points of the gamma LUT of `plain` and `linear`.
        extras: Keys of `EXTRAS`, each as NAME or NAME=VALUE.

    Raises:
        CamproError: If the profile cannot be loaded, or an extra is unknown or has an invalid value.
    """
    profile = identity_matrix(name, lut_points, EXPONENTS[name]) if name in EXPONENTS else load_profile(name)
    for extra in extras:
        profile = with_extra(profile, extra)
    return profile


def check_trainable(pipeline: IspPipeline) -> None:
    """Check that a pipeline has parameters to train.

    Raises:
        CamproError: If it has none.
    """
    if not any(parameter.requires_grad for parameter in pipeline.parameters()):
        raise CamproError("design", "a start profile with a CCM or a gamma LUT", "one with nothing to learn")


def identity_matrix(name: str, lut_points: int, exponent: float) -> IspProfile:
    """Identity matrix, and the curve x ** exponent in a LUT with evenly spaced knots."""
    lut = GammaLut((tuple((np.linspace(0, 1, lut_points) ** exponent).tolist()),))
    return IspProfile(name, (Degamma(), Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), lut, Quantise()))


def with_extra(profile: IspProfile, extra: str) -> IspProfile:
    """Add one ISP parameter to a profile.

    Args:
        profile: The profile.
        extra: A key of `EXTRAS`, as NAME or NAME=VALUE.

    Raises:
        CamproError: If the name is unknown, or the block refuses the value.
    """
    name, _, value = extra.partition("=")
    if name not in EXTRAS:
        raise CamproError("--isp", f"one of {', '.join(EXTRAS)}, with =VALUE or without", repr(extra))
    add, default = EXTRAS[name]
    try:
        number = float(value) if value else default
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
    return _before_encoder(tuple(block for block in blocks if not isinstance(block, Quantise)), Quantise(int(bits)))


def _defocus(blocks: Blocks, sigma: float) -> Blocks:
    return (Defocus(_kernel(sigma), sigma), *blocks)


def _low_resolution(blocks: Blocks, factor: float) -> Blocks:
    return (LowResolution(int(factor)), *blocks)


def _chroma_blur(blocks: Blocks, sigma: float) -> Blocks:
    digital = [block for block in blocks if isinstance(block, Quantise | Encoder)]
    return (*(block for block in blocks if block not in digital), ChromaBlur(_kernel(sigma), sigma), *digital)


def _scaler(blocks: Blocks, factor: float) -> Blocks:
    return (Scaler(factor), *blocks)


def _denoise(blocks: Blocks, strength: float) -> Blocks:
    return _before_encoder(blocks, Denoise(strength, 2 * strength))


def _subsampling(blocks: Blocks, width: float) -> Blocks:
    formats: dict[float, ChromaFormat] = {1: "4:2:2", 2: "4:2:0", 4: "4:1:1"}
    if width not in formats:
        raise CamproError("--isp", "chroma-subsampling of 1 (4:2:2), 2 (4:2:0) or 4 (4:1:1)", f"{width:g}")
    return _before_encoder(blocks, ChromaSubsampling(formats[width]))


def _encoder(kind: type[Encoder], blocks: Blocks, strength: float) -> Blocks:
    return (*(block for block in blocks if not isinstance(block, kind)), kind(int(strength)))


def _before_encoder(blocks: Blocks, new: Block) -> Blocks:
    coded = [block for block in blocks if isinstance(block, Encoder)]
    return (*(block for block in blocks if block not in coded), new, *coded)


def _kernel(sigma: float) -> int:
    return 2 * int(KERNEL_WIDTH * sigma / 2) + 1


EXTRAS: dict[str, tuple[Callable[[Blocks, float], Blocks], float]] = {
    "curve-per-channel": (_curve_per_channel, 0),
    "offsets": (_offsets, START_OFFSET),
    "bits": (_coarser, 4),
    "defocus": (_defocus, 1.0),
    "low-resolution": (_low_resolution, 2),
    "chroma-blur": (_chroma_blur, 4.0),
    "scaler": (_scaler, 2.0),
    "denoise": (_denoise, 0.05),
    "chroma-subsampling": (_subsampling, 2),
    "jpeg": (partial(_encoder, Jpeg), 20),
    "h264": (partial(_encoder, H264), 36),
}
"""Name -> function that adds an ISP parameter, and its default value. The first two are trained; the others are fixed
losses of information."""

"""The table of cameras: what each platform can hold of a profile, and where that is written.

Names are those of the deployment targets (`campro targets`).
"""

from __future__ import annotations

from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits, PowerLimits, spaced
from campro.isp.limits import Grid, Limits
from campro.isp.profile import CCM_LIMIT

WORD = 65535
TWELVE_BITS, TEN_BITS = 4095, 1023
RKISP1_OFFSET = 2048
"""Offsets of the RkISP1 are signed 12-bit numbers; this is full scale."""


LOGARITHMIC = spaced((4, 64), (4, 128), (3, 256), (5, 512), top=4096)
"""Knots of the RkISP1's curve in its usual mode."""


def _rkisp1(source: str, curve: CurveLimits) -> Limits:
    offsets = Grid(-1.0, 1.0 - 1 / RKISP1_OFFSET, 1 / RKISP1_OFFSET)
    return Limits(source, Grid(-8.0, 8.0 - 1 / 128, 1 / 128), offsets, curve)


def _rkaiq(source: str, *last: tuple[int, int]) -> Limits:
    """The curve's knots get twice as far apart every four of them, up to the last few."""
    rising = [(4, 2**power) for power in range(1, 9)]
    curve = CurveLimits(spaced((8, 1), *rising, *last, top=TWELVE_BITS), TWELVE_BITS)
    return Limits(source, Grid(-7.0, 8.0 - 1 / 128, 1 / 128), Grid(-1.0, 1.0, 1 / TWELVE_BITS), curve)


KERNEL = "Linux uAPI rkisp1-config.h: coefficients Q4.7, offsets of 12 bit, 17 curve values of 10 bit"


CAMERAS: dict[str, Limits] = {
    "rpi-vc4": Limits(
        source="libcamera src/ipa/rpi/vc4/vc4.cpp: numerators over 1000, 33 points of 16 bit, the last forced to 65535",
        matrix=Grid(-8.0, 7.9999, 1 / 1000, truncates=True),
        curve=CurveLimits(spaced((16, 1024), (8, 2048), (8, 4096), top=WORD), WORD, truncates=True, end="white"),
    ),
    "rpi-pisp": Limits(
        source="libcamera src/ipa/rpi/pisp/pisp.cpp: 14 bit, 10 after the point; 64 values, unsigned slopes of 14 bit",
        matrix=Grid(-8.0, 8.0 - 1 / 1024, 1 / 1024),
        curve=CurveLimits(
            spaced((32, 512), (16, 1024), (16, 2048), top=WORD),
            WORD,
            truncates=True,
            rise=(2**14 - 1) / WORD,
            end="flat",
        ),
    ),
    "rkisp1": _rkisp1(
        "libcamera src/ipa/rkisp1/algorithms/ccm.cpp and goc.cpp: coefficients Q4.7, an exponent from 0.1 to 10",
        PowerLimits(LOGARITHMIC, TEN_BITS, truncates=True),
    ),
    "rkisp1-log": _rkisp1(KERNEL, CurveLimits(LOGARITHMIC, TEN_BITS)),
    "rkisp1-equal": _rkisp1(KERNEL, CurveLimits(spaced((16, 256), top=4096), TEN_BITS)),
    "rockchip-rkaiq": _rkaiq(
        "rkaiq algos/accm and algos/agamma: 11-bit registers over 128, 45 curve values of 12 bit", (4, 512)
    ),
    "rockchip-isp21": _rkaiq(
        "rkaiq iq_parser_v2 accm_head.h, agamma_head.h (gamma v10): as before, in a JSON file", (4, 512)
    ),
    "rockchip-isp30": _rkaiq(
        "rkaiq iq_parser_v2 agamma_head.h (gamma v11), Linux uAPI rkisp2-config.h: 49 curve values", (8, 256)
    ),
    "android-camera2": Limits(
        source="android.hardware.camera2: rational numbers, curves of up to TONEMAP_MAX_CURVE_POINTS points",
        matrix=Grid(-CCM_LIMIT, CCM_LIMIT, 1 / 10_000),
        curve=CurveLimits(levels=2**24),
        channels=3,
    ),
    "software": Limits(
        source="FFmpeg vf_colorchannelmixer: coefficients from -2 to 2; vf_lut1d",
        matrix=Grid(-2.0, 2.0, 1e-6),
        curve=CurveLimits(levels=10**6),
        channels=3,
    ),
}


def find_camera(name: str) -> Limits:
    """What the camera of that name can hold."""
    if name not in CAMERAS:
        raise CamproError("camera", f"one of {', '.join(CAMERAS)}", repr(name))
    return CAMERAS[name]

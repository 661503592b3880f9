"""The simulated image signal processor (ISP): profiles, the 8-bit path, and the differentiable pipeline.

Names are imported on first use: the pipeline needs torch, which takes seconds to import, and profiles need nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from campro.isp.camera import RAW, Camera
    from campro.isp.eight_bit import apply
    from campro.isp.isp_pipeline import IspPipeline, pipeline
    from campro.isp.profile import (
        BUILTIN_PROFILES,
        H264,
        Ccm,
        ChromaBlur,
        ChromaSubsampling,
        Defocus,
        Degamma,
        Denoise,
        GammaLut,
        IspProfile,
        Jpeg,
        LowResolution,
        MeasuredDegamma,
        Provenance,
        Quantise,
        Scaler,
        SensorNoise,
        load_profile,
    )

__all__ = [
    "BUILTIN_PROFILES",
    "H264",
    "RAW",
    "Camera",
    "Ccm",
    "ChromaBlur",
    "ChromaSubsampling",
    "Defocus",
    "Degamma",
    "Denoise",
    "GammaLut",
    "IspPipeline",
    "IspProfile",
    "Jpeg",
    "LowResolution",
    "MeasuredDegamma",
    "Provenance",
    "Quantise",
    "Scaler",
    "SensorNoise",
    "apply",
    "load_profile",
    "pipeline",
]
_MODULES = {
    "RAW": "camera",
    "Camera": "camera",
    "IspPipeline": "isp_pipeline",
    "apply": "eight_bit",
    "pipeline": "isp_pipeline",
}
"""Homes of names that are not in `profile`; no module has the name of a function."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"campro.isp.{_MODULES.get(name, 'profile')}"), name)

"""The simulated image signal processor (ISP): profiles, the 8-bit path, and the differentiable pipeline."""

from campro.isp.camera import RAW, Camera
from campro.isp.eight_bit import apply
from campro.isp.pipeline import IspPipeline, pipeline
from campro.isp.profile import (
    BUILTIN_PROFILES,
    Ccm,
    ChromaBlur,
    Defocus,
    Degamma,
    GammaLut,
    IspProfile,
    Jpeg,
    LowResolution,
    MeasuredDegamma,
    Provenance,
    Quantise,
    SensorNoise,
    load_profile,
)

__all__ = [
    "BUILTIN_PROFILES",
    "RAW",
    "Camera",
    "Ccm",
    "ChromaBlur",
    "Defocus",
    "Degamma",
    "GammaLut",
    "IspPipeline",
    "IspProfile",
    "Jpeg",
    "LowResolution",
    "MeasuredDegamma",
    "Provenance",
    "Quantise",
    "SensorNoise",
    "apply",
    "load_profile",
    "pipeline",
]

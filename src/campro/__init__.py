"""CamPro: camera profiles that face recognition cannot use while person detection still works.

The public API; every name is imported on first use, so `import campro` costs nothing.

    profile = campro.load_profile("campro-default")
    protected = campro.apply(profile, rgb)          # uint8 in, uint8 out: what the camera hands out
    pipe = campro.pipeline(profile)                 # the same as a differentiable torch module
    embed = campro.load_embedder("dlib-resnet29")
    crops = campro.align(rgb, embed.card)           # (N, 3, h, w) in [0, 1]
    detect = campro.load_detector("campro-person")
    result = campro.closed_set(gallery, probe)      # rank-1, rank-5, rank-50 and their intervals
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from campro.core.errors import CamproError
    from campro.isp import IspProfile, apply, load_profile, pipeline
    from campro.metrics.identification import closed_set
    from campro.models.faces import align, load_embedder
    from campro.models.persons import load_detector

__version__ = "0.1.0"

TELEMETRY_OFF = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime: else a host look-up, a device id and an event database in ~/.cache
    "RAY_USAGE_STATS_ENABLED": "0",  # ray: else usage reports of `--cluster`
    "YOLO_OFFLINE": "true",  # ultralytics: else a connection test at import, and events of every prediction
    "GRADIO_ANALYTICS_ENABLED": "False",
}
"""Environment variables by which dependencies send no data about their use; values that the user has set are kept.

They must be set before the first import of each package, and every import of a part of campro comes after this one.
"""
for _name, _value in TELEMETRY_OFF.items():
    os.environ.setdefault(_name, _value)

_HOMES = {
    "CamproError": "campro.core.errors",
    "IspProfile": "campro.isp",
    "apply": "campro.isp",
    "load_profile": "campro.isp",
    "pipeline": "campro.isp",
    "align": "campro.models.faces",
    "load_embedder": "campro.models.faces",
    "load_detector": "campro.models.persons",
    "closed_set": "campro.metrics.identification",
}

__all__ = [
    "CamproError",
    "IspProfile",
    "align",
    "apply",
    "closed_set",
    "load_detector",
    "load_embedder",
    "load_profile",
    "pipeline",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'campro' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

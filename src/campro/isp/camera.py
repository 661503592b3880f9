"""A profile in a camera: the `ImageTransform` from an 8-bit picture to what the camera would have handed out."""

from __future__ import annotations

from campro.core.types import Rgb8
from campro.isp.lookup import apply
from campro.isp.profile import IspProfile, load_profile


class Camera:
    """Applies a profile by the fast path; two cameras with equal blocks share a digest, whatever their names."""

    def __init__(self, profile: IspProfile | str, name: str | None = None) -> None:
        self.profile = profile if isinstance(profile, IspProfile) else load_profile(profile)
        self.name = name or self.profile.name
        self.digest = self.profile.digest

    def __call__(self, rgb: Rgb8) -> Rgb8:
        return apply(self.profile, rgb)


RAW = Camera(IspProfile("identity", ()), name="raw")
"""The camera as it is: what every figure is compared with."""

"""A camera with a profile, as an `ImageTransform`: from raw 8-bit sRGB pictures to the camera's output."""

from __future__ import annotations

from campro.core.types import Rgb8
from campro.isp.eight_bit import apply
from campro.isp.profile import IspProfile, load_profile


class Camera:
    """Applies a profile to 8-bit pictures (`campro.isp.eight_bit.apply`).

    The digest is that of the profile's blocks, so cameras with equal blocks share cached results, whatever their names.
    """

    def __init__(self, profile: IspProfile | str, name: str | None = None) -> None:
        """A profile, or the name or path of one (`load_profile`); `name` labels results, by default the profile's.

        Raises:
            CamproError: as `load_profile`.
        """
        self.profile = profile if isinstance(profile, IspProfile) else load_profile(profile)
        self.name = name or self.profile.name
        self.digest = self.profile.digest

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The captured picture of a raw picture."""
        return apply(self.profile, rgb)


RAW = Camera(IspProfile("identity", ()), name="raw")
"""The camera without a profile: the reference of every comparison."""

"""What colours alone tell of a captured picture, by one of two tables: what the enhancer's network starts from."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from campro.core.types import Images, Rgb8
from campro.enhance.fused_kernels import Table
from campro.inversion.inverse import Inverse
from campro.inversion.preimages import Preimages
from campro.isp import IspProfile
from campro.isp.lookup import is_pointwise

AS_MADE = 0.95
"""A picture counts as the camera made it if so many of its pixels have colours that the camera can hand out. Of JPEG
pictures, at any quality, it is about 0.6.
"""
STEP = 8
"""Of so many rows and columns one is looked at for that."""


class Coloured(NamedTuple):
    """A picture by its colours alone."""

    rgb: Rgb8
    spread: UInt8[np.ndarray, "H W"]
    """How far apart the raw colours are that each pixel may have had: see `isp.inverse.spread_codes`."""
    as_made: bool
    """Whether it is exact: of a picture as the camera made it."""


def spread_classes(codes: UInt8[Tensor, "B H W"]) -> Images:
    """Of each channel the class, as 0, 1/3, 2/3 and 1, from the codes of `isp.inverse.spread_codes`.

    >>> spread_classes(torch.full((1, 1, 1), 0 + (2 << 2) + (3 << 4))).flatten().tolist()[::2]
    [0.0, 1.0]
    """
    whole = codes.float()
    return torch.stack([whole % 4, (whole / 4).floor() % 4, (whole / 16).floor()], 1) / 3


class Colours:
    """The exact inverse of a picture as the camera made it, of others what a 3D LUT says.

    The exact inverse tells colours apart that differ by one level. Compression mixes them, and it would then be
    worse than the LUT, which does not ask for more than eight levels.
    """

    def __init__(
        self,
        soft: Float32[np.ndarray, "n n n 3"],
        spread: UInt8[np.ndarray, " cells"],
        profile: IspProfile,
        prior: Float[np.ndarray, " cells"],
    ) -> None:
        """`soft` as the values of a `Lut3d`, colours last, `spread` of its colours by cell of their highest bits;
        profiles that do more than map colours have no inverse.
        """
        self.soft = Table(soft, spread)
        self._profile, self._prior = profile, prior

    @cached_property
    def _sharp(self) -> Inverse | None:
        """Made in a few seconds when the first picture comes."""
        return Inverse(self._profile, self._prior) if is_pointwise(self._profile.blocks) else None

    @cached_property
    def preimages(self) -> Preimages:
        """Among which to choose in a picture as the camera made it: the exact inverse is their mean."""
        return Preimages.of(self._profile, self._prior)

    def __call__(self, rgb: Rgb8) -> Coloured:
        if self._sharp is not None and self._sharp.made(rgb[::STEP, ::STEP]) > AS_MADE:
            return Coloured(*self._sharp.with_spread(rgb), True)
        return Coloured(*self.soft(rgb), False)

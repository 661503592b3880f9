"""Recolouring: the inverse of a profile for each pixel on its own, by one of two tables.

The networks of the fast enhancer start from the recoloured picture.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, UInt8

from campro.core.types import Rgb8
from campro.enhance.lut_kernels import LutKernel
from campro.inversion.inverse import Inverse
from campro.inversion.preimages import Preimages
from campro.isp import IspProfile
from campro.isp.pointwise import is_pointwise

if TYPE_CHECKING:
    from torch import Tensor

    from campro.core.types import Images

CAMERA_OUTPUT_SHARE = 0.95
"""Share of reachable colours above which a picture counts as unprocessed camera output. Of JPEG files it is about 0.6,
at any quality."""
STEP = 8
"""Every STEP-th row and column is examined for that."""


class Recoloured(NamedTuple):
    """A recoloured picture."""

    rgb: Rgb8
    ambiguity: UInt8[np.ndarray, "H W"]
    """Ambiguity code of every pixel: see `campro.inversion.inverse.ambiguity_codes`."""
    is_camera_output: bool
    """Whether the captured picture is unprocessed camera output, so that the exact inverse was used."""


def ambiguity_classes(codes: UInt8[Tensor, "B H W"]) -> Images:
    """The ambiguity class of each channel as 0, 1/3, 2/3 or 1, from codes of `inverse.ambiguity_codes`.

    >>> import torch
    >>> ambiguity_classes(torch.full((1, 1, 1), 0 + (2 << 2) + (3 << 4))).flatten().tolist()[::2]
    [0.0, 1.0]
    """
    import torch

    whole = codes.float()
    return torch.stack([whole % 4, (whole / 4).floor() % 4, (whole / 16).floor()], 1) / 3


def without_recolouring(rgb: Rgb8) -> Recoloured:
    """The captured picture itself, with ambiguity 0 everywhere: for enhancers that do not start from a table."""
    return Recoloured(rgb, np.zeros(rgb.shape[:2], np.uint8), is_camera_output=False)


class Recolouring:
    """The exact inverse for unprocessed camera output, and a 3D LUT for all other pictures.

    The exact inverse separates colours that differ by one level. Lossy compression changes levels by more than that;
    a 3D LUT, whose nodes are eight levels apart, is then better.
    """

    def __init__(
        self,
        lut: Float32[np.ndarray, "n n n 3"],
        ambiguity: UInt8[np.ndarray, " bins"],
        profile: IspProfile,
        prior: Float[np.ndarray, " bins"],
    ) -> None:
        """The values of a `Lut3d` with colours last, the ambiguity code of its output for each bin of captured colours,
        the profile to invert and a prior of raw colours (`inverse.prior_from_photos`).

        Only the LUT is used for a profile that is not pointwise.
        """
        self.lut = LutKernel(lut, ambiguity)
        self._profile, self._prior = profile, prior

    @cached_property
    def _inverse(self) -> Inverse | None:
        """Computed in a few seconds on first use, then read from the cache folder."""
        return Inverse.stored(self._profile, self._prior) if is_pointwise(self._profile.blocks) else None

    @cached_property
    def preimages(self) -> Preimages:
        """The preimages of all captured colours; the exact inverse is their mean."""
        return Preimages.stored(self._profile, self._prior)

    def reachable_share(self, rgb: Rgb8) -> float:
        """Share of pixels, 0 to 1, whose colour the profile can produce; 0 for a profile that is not pointwise."""
        return 0.0 if self._inverse is None else self._inverse.reachable_share(rgb[::STEP, ::STEP])

    def __call__(self, rgb: Rgb8) -> Recoloured:
        if self._inverse is not None and self.reachable_share(rgb) > CAMERA_OUTPUT_SHARE:
            return Recoloured(*self._inverse.with_ambiguity(rgb), True)
        return Recoloured(*self.lut(rgb), False)

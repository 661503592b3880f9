"""Whether a picture was captured with a profile: the colours of ordinary pictures are others.

Two figures are compared. The share of colours that the profile can produce is 1 for camera output, 0.4 to 0.85 after
JPEG, and below 0.5 for ordinary photographs. The mean log-likelihood ratio of the colours, captured to raw, is positive
for most captured pictures and negative for ordinary ones. Where both say "ordinary", the picture is refused.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from campro.core.errors import CamproError
from campro.core.types import ImageTransform, Rgb8
from campro.enhance.recolouring import STEP, Recolouring
from campro.inversion.inverse import BIN_BITS, BINS
from campro.isp import Camera, IspProfile

MAX_REACHABLE = 0.5
"""Largest share of reachable colours of a picture that is refused."""
MAX_LOG_RATIO = -0.5
"""Largest mean log-likelihood ratio of a picture that is refused."""
MIN_BINS = 16
"""Pictures with fewer bins of colours (a black frame, a chart) are not judged."""
FLOOR = 1e-6
"""Smallest probability of a bin."""
NODES = 64
"""Colours of each channel from which the distribution of captured colours is computed."""


class CapturedCheck:
    """Refuses pictures that were not captured with a pointwise profile."""

    def __init__(self, profile: IspProfile, prior: Float[np.ndarray, " bins"], recolouring: Recolouring) -> None:
        """The profile, a prior of raw colours (`inverse.prior_from_photos`) and the tables of the enhancer."""
        self._profile, self._prior, self._recolouring = profile, prior, recolouring

    def __call__(self, rgb: Rgb8) -> None:
        """Check one picture.

        Raises:
            CamproError: if it is an ordinary picture.
        """
        if self.is_ordinary(rgb):
            remedy = "add --profile to capture it first, or --no-check to enhance it all the same"
            wanted = f"a picture that was captured with {self._profile.name}"
            raise CamproError("enhance", wanted, "an ordinary one, by its colours", remedy)

    def is_ordinary(self, rgb: Rgb8) -> bool:
        """Whether both figures say that the picture is an ordinary one."""
        if self._recolouring.reachable_share(rgb) > MAX_REACHABLE:
            return False
        bins = _bins(rgb[::STEP, ::STEP])
        return len(np.unique(bins)) >= MIN_BINS and float(self._log_ratio[bins].mean()) < MAX_LOG_RATIO

    @cached_property
    def _log_ratio(self) -> Float[np.ndarray, " bins"]:
        """Log-likelihood ratio of each bin of colours, captured to raw."""
        levels = np.arange(NODES, dtype=np.uint8) * (256 // NODES) + 128 // NODES
        raw = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(NODES, -1, 3)
        captured = Camera(self._profile)(raw)
        weights = self._prior[_bins(raw)].ravel()
        moved = np.bincount(_bins(captured).ravel(), weights, BINS)
        return np.asarray(np.log(moved / moved.sum() + FLOOR) - np.log(self._prior / self._prior.sum() + FLOOR))


class Checked:
    """An `ImageTransform` that checks its pictures first: all of them, or only the first (frames of a video)."""

    def __init__(self, check: CapturedCheck, transform: ImageTransform, first_only: bool = False) -> None:
        self.name, self.digest = transform.name, transform.digest
        self._check, self._transform, self._first_only = check, transform, first_only
        self._done = False

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The transformed picture.

        Raises:
            CamproError: if the picture is an ordinary one.
        """
        if not (self._done and self._first_only):
            self._check(rgb)
            self._done = True
        return self._transform(rgb)


def _bins(rgb: Rgb8) -> Int[np.ndarray, "H W"]:
    """The index of each pixel's bin in a prior."""
    red, green, blue = np.moveaxis((rgb >> (8 - BIN_BITS)).astype(int), -1, 0)
    return np.asarray((red << 2 * BIN_BITS) | (green << BIN_BITS) | blue)

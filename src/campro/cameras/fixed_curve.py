"""Cameras whose gamma curve is fixed: a profile can change their matrix only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from campro.isp.curve_limits import LEVEL, LINEAR_LEVELS, Curve, CurveLimits
from campro.isp.profile import GammaLut


@dataclass(frozen=True)
class FixedCurve(CurveLimits):
    """Limits of a camera with one curve, `fixed`, at `knots`."""

    fixed: tuple[float, ...] = ()
    tolerance: float = 1.0
    """Largest difference of a profile's curve, in 8-bit levels, that is taken for the same curve."""

    def lut(self) -> GammaLut:
        """The camera's curve."""
        return GammaLut((self.fixed,), self.knots)

    def resampled(self, lut: GammaLut) -> Float[np.ndarray, "c k"]:
        """See `CurveLimits.resampled`."""
        return np.array([self.fixed] * len(lut.values))

    def problems(self, lut: GammaLut) -> list[str]:
        """See `CurveLimits.problems`."""
        own = np.interp(LINEAR_LEVELS, self.positions(lut), self.fixed)
        apart = max(np.abs(np.interp(LINEAR_LEVELS, lut.positions, curve) - own).max() for curve in lut.values)
        if apart <= self.tolerance * LEVEL:
            return []
        return [f"the camera's gamma curve is fixed, the profile's differs by {apart / LEVEL:.0f} levels"]

    def nearest(self, values: Curve) -> Curve:
        """See `CurveLimits.nearest`."""
        return np.array(self.fixed)

    def fitted(self, lut: GammaLut) -> Float[np.ndarray, "c k"]:
        """See `CurveLimits.fitted`."""
        return self.resampled(lut)

    def rounded(self, values: Float[np.ndarray, "*c k"]) -> Float[np.ndarray, "*c k"]:
        """See `CurveLimits.rounded`."""
        return np.broadcast_to(np.array(self.fixed), np.shape(values)).copy()

    def __str__(self) -> str:
        return "a fixed curve"

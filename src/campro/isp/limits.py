"""Limits of a camera: the range and the steps of its colour matrix, and its gamma curve.

A camera can hold a profile if the blocks are degamma, CCM, gamma LUT and rounding to 8 bits, the matrix is within range
and the curve can be stored at the camera's knots. `Limits.realised` gives the profile that the camera then applies,
with rounded numbers; `Limits.fitted` gives the nearest profile that the camera can hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from campro.core.errors import CamproError
from campro.isp.curve_limits import CurveLimits
from campro.isp.profile import (
    CCM_LIMIT,
    Block,
    Ccm,
    Degamma,
    Encoder,
    GammaLut,
    IspProfile,
    MeasuredDegamma,
    Quantise,
    SensorNoise,
)


@dataclass(frozen=True)
class Grid:
    """The numbers that a register can hold: multiples of `step` from `low` to `high`."""

    low: float
    high: float
    step: float
    truncates: bool = False
    """Whether numbers are rounded towards zero instead of to the nearest."""

    def rounded(self, values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Values, which must be within the range, rounded as in the register."""
        steps = np.asarray(values, float) / self.step
        steps = np.trunc(steps + np.sign(steps) * 1e-6) if self.truncates else np.floor(steps + 0.5)
        return np.round(steps * self.step, 12)

    def holds(self, values: Float[np.ndarray, "..."]) -> bool:
        """Whether all values are within the range."""
        return bool(np.all((np.asarray(values) >= self.low) & (np.asarray(values) <= self.high)))

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} in steps of {self.step:.6g}"


@dataclass(frozen=True)
class Limits:
    """Limits of one camera platform."""

    source: str
    """Source of the figures."""
    matrix: Grid
    offsets: Grid | None = None
    """None: no offsets."""
    curve: CurveLimits = field(default_factory=CurveLimits)
    channels: int = 1
    """Number of gamma curves: 1 for all channels, or 3."""
    condition: float | None = None
    """Largest condition number of the matrix, for cameras that measure behind it; None: any."""

    def problems(self, profile: IspProfile) -> list[str]:
        """The reasons why the camera cannot hold the profile; empty if it can.

        Raises:
            CamproError: if the profile has other blocks than cameras have (see `parts`).
        """
        ccm, lut = parts(profile)
        found = []
        if not self.matrix.holds(np.array(ccm.matrix)):
            found.append(f"matrix entries must lie in {self.matrix}, the largest is {np.abs(ccm.matrix).max():.3f}")
        if self.condition is not None and (number := np.linalg.cond(ccm.matrix)) > self.condition * (1 + 1e-6):
            found.append(f"the matrix's condition number must be at most {self.condition:g}, it is {number:.3g}")
        if self.offsets is None and any(ccm.offsets):
            found.append("the camera's matrix has no offsets")
        if self.offsets is not None and not self.offsets.holds(np.array(ccm.offsets)):
            found.append(f"offsets must lie in {self.offsets}")
        if len(lut.values) > self.channels:
            found.append("the camera has one curve for all channels")
        return found + self.curve.problems(lut)

    def realised(self, profile: IspProfile) -> IspProfile:
        """The profile with every number rounded as the camera rounds it.

        Raises:
            CamproError: with all reasons, if the camera cannot hold the profile.
        """
        if reasons := self.problems(profile):
            remedy = "--fit takes the nearest profile that it can hold"
            raise CamproError(f"profile {profile.name}", "one that the camera can hold", "; ".join(reasons), remedy)
        ccm, lut = parts(profile)
        return self._held(profile, np.array(ccm.matrix), np.array(ccm.offsets), self.curve.resampled(lut))

    def fitted(self, profile: IspProfile) -> IspProfile:
        """The nearest profile that the camera can hold: matrix entries clipped to their range, and the closest curve.

        Raises:
            CamproError: if the profile has other blocks than cameras have (see `parts`).
        """
        ccm, lut = parts(profile)
        matrix = self.bounded(np.array(ccm.matrix))
        offsets = np.zeros(3) if self.offsets is None else np.clip(ccm.offsets, self.offsets.low, self.offsets.high)
        if len(lut.values) > self.channels:
            lut = GammaLut((tuple(np.mean(lut.values, 0).tolist()),), lut.knots)
        return self._held(profile, matrix, offsets, self.curve.fitted(lut))

    def bounded(self, matrix: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
        """The matrix with its entries clipped to their range and, if `condition` is set, its condition number bounded.

        Small singular values are raised, which is the nearest such matrix in the Frobenius norm; where an entry then
        leaves the range, the whole matrix is scaled down.
        """
        low, high = self.matrix_range
        clipped = np.clip(matrix, low, high)
        if self.condition is None or np.linalg.cond(clipped) <= self.condition:
            return clipped
        left, values, right = np.linalg.svd(clipped)
        raised: Float[np.ndarray, "3 3"] = left @ np.diag(np.maximum(values, values[0] / self.condition)) @ right
        over = max(1.0, float((raised / high).max()), float((raised / low).max()) if low < 0 else 1.0)
        return raised / over

    @property
    def matrix_range(self) -> tuple[float, float]:
        """Smallest and largest matrix entry that both the camera and a profile can hold."""
        return max(self.matrix.low, -CCM_LIMIT), min(self.matrix.high, CCM_LIMIT)

    def _held(
        self,
        profile: IspProfile,
        matrix: Float[np.ndarray, "3 3"],
        offsets: Float[np.ndarray, "3"],
        values: Float[np.ndarray, "c k"],
    ) -> IspProfile:
        """The profile with these numbers, rounded as the camera rounds them."""
        held = self.matrix.rounded(matrix).clip(*self.matrix_range)
        shift = offsets if self.offsets is None else self.offsets.rounded(offsets)
        ccm = ccm_of(held, shift)
        curves = tuple(tuple(curve) for curve in self.curve.rounded(values).tolist())
        lut = GammaLut(curves, self.curve.knots or parts(profile)[1].knots)
        new: dict[type, Block] = {Ccm: ccm, GammaLut: lut}
        blocks = tuple(new.get(type(block), block) for block in profile.blocks)
        return IspProfile(profile.name, blocks, profile.provenance)

    def __str__(self) -> str:
        offsets = f"offsets {self.offsets}" if self.offsets else "no offsets"
        return f"matrix {self.matrix}, {offsets}, {self.curve}"


def ccm_of(matrix: Float[np.ndarray, "3 3"], offsets: Float[np.ndarray, "3"] | None = None) -> Ccm:
    """The block with this matrix (row = output channel) and these offsets, by default 0.

    Raises:
        CamproError: For entries outside the limits of a profile.
    """
    return Ccm(
        tuple(tuple(row) for row in matrix.tolist()), (0.0, 0.0, 0.0) if offsets is None else tuple(offsets.tolist())
    )


def camera_profile(name: str, ccm: Ccm, lut: GammaLut, start: Degamma | None = None) -> IspProfile:
    """The profile with this matrix and these curves, the inverse of `parts`. Three equal curves become one."""
    if len(set(lut.values)) == 1:
        lut = GammaLut(lut.values[:1], lut.knots)
    return IspProfile(name, (start or Degamma(), ccm, lut, Quantise(8)))


def parts(profile: IspProfile) -> tuple[Ccm, GammaLut]:
    """The matrix and the gamma LUT of a profile for cameras; simulated noise and encoders are ignored.

    Raises:
        CamproError: if the blocks are not degamma, CCM, gamma LUT and rounding to 8 bits, in this order: a camera's
            matrix and curve cannot replace other blocks.
    """
    blocks = [block for block in profile.blocks if not isinstance(block, SensorNoise | Encoder)]
    kinds = [Degamma if isinstance(block, MeasuredDegamma) else type(block) for block in blocks]
    if kinds != [Degamma, Ccm, GammaLut, Quantise] or blocks[-1] != Quantise(8):
        got = " ".join(block.block for block in profile.blocks) or "nothing"
        remedy = "design one, or start from the profile negative or campro-default"
        raise CamproError(f"profile {profile.name}", "blocks degamma, ccm, gamma_lut, quantise to 8 bit", got, remedy)
    _, ccm, lut, _ = blocks
    assert isinstance(ccm, Ccm)
    assert isinstance(lut, GammaLut)
    return ccm, lut

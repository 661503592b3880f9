"""What a camera can hold of a profile: ranges and steps of its matrix, knots and levels of its gamma curve.

A profile fits a camera if its blocks are [degamma] [ccm] [gamma LUT] [8-bit rounding], its matrix is within range and
its curve is one that the camera's knots can draw. `realised` gives what the camera then does, rounded as it rounds;
`fitted` gives the nearest profile that fits, for those that do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.optimize import isotonic_regression, lsq_linear

from campro.core.errors import CamproError
from campro.isp.profile import CCM_LIMIT, Block, Ccm, Degamma, GammaLut, IspProfile, Quantise

LEVEL = 1 / 255
SEEN = (np.arange(256) * LEVEL) ** 2.2
"""Linear values of all 8-bit levels: where a curve is looked at."""
FAITH = 1e-4
"""Weight with which a fitted curve follows the wanted one at its knots, where no level of a picture tells."""


@dataclass(frozen=True)
class Grid:
    """Numbers that a register holds: multiples of `step` from `low` to `high`."""

    low: float
    high: float
    step: float
    truncates: bool = False
    """Rounds towards zero, not to the nearest."""

    def rounded(self, values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Values within the range, as the register holds them."""
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
    """Of one camera platform."""

    source: str
    """Where the figures are from."""
    matrix: Grid
    offsets: Grid | None = None
    """None: no offsets."""
    knots: tuple[float, ...] | None = None
    """Where the gamma curve's values are stored, rising from 0 to 1; None: any."""
    levels: int = 65535
    """Largest value of the curve as it is stored."""
    truncates: bool = False
    """Curve values are rounded down, not to the nearest."""
    rise: float | None = None
    """Largest rise between two knots of a camera whose curve cannot fall; None: it may fall and rise at will."""
    end: Literal["free", "white", "flat"] = "free"
    """The curve's last value: as stored, always 1, or always that of the last knot but one."""
    channels: int = 1
    """Curves that the camera can hold: one for all channels, or three."""

    def summary(self) -> str:
        """In a line."""
        curve = f"curve of {len(self.knots)} knots" if self.knots else "curve of any knots"
        rules = [
            curve,
            "that cannot fall" if self.rise is not None else "",
            {"free": ""}.get(self.end, f"end {self.end}"),
        ]
        offsets = f"offsets {self.offsets}" if self.offsets else "no offsets"
        return f"matrix {self.matrix}, {offsets}, {' '.join(rule for rule in rules if rule)}"

    # Checks --------------------------------------------------------------------------------------------------

    def problems(self, profile: IspProfile) -> list[str]:
        """Why the camera cannot hold the profile; empty if it can."""
        ccm, lut = parts(profile)
        found = []
        if not self.matrix.holds(np.array(ccm.matrix)):
            found.append(f"matrix entries must lie in {self.matrix}, the largest is {np.abs(ccm.matrix).max():.3f}")
        if self.offsets is None and any(ccm.offsets):
            found.append("the camera's matrix has no offsets")
        if self.offsets is not None and not self.offsets.holds(np.array(ccm.offsets)):
            found.append(f"offsets must lie in {self.offsets}")
        if len(lut.values) > self.channels:
            found.append("the camera has one curve for all channels")
        return found + self._curve_problems(lut)

    def _curve_problems(self, lut: GammaLut) -> list[str]:
        wanted = [np.interp(self.positions(lut), lut.positions, curve) for curve in lut.values]
        found = []
        if self.rise is not None and any((np.diff(curve) < -LEVEL / 2).any() for curve in wanted):
            found.append("its gamma curve falls, and the camera's cannot")
        if self.rise is not None and any((np.diff(curve) > self.rise + 1.5 / self.levels).any() for curve in wanted):
            found.append(f"its gamma curve rises by more than {self.rise:.3f} between two knots")
        if self.end == "white" and any(curve[-1] < 1 - LEVEL / 2 for curve in wanted):
            found.append("the camera's gamma curve always ends at white")
        if self.end == "flat" and any(abs(curve[-1] - curve[-2]) > LEVEL / 2 for curve in wanted):
            found.append("the camera's gamma curve is flat after the last knot but one")
        bent = max(np.abs(self._drawn(lut, curve) - self._seen(lut, i)).max() for i, curve in enumerate(wanted))
        if bent > LEVEL / 2:
            found.append(f"its gamma curve bends between the camera's knots, by up to {bent / LEVEL:.1f} levels of 255")
        return found

    def positions(self, lut: GammaLut) -> tuple[float, ...]:
        """The camera's knots; the profile's own where the camera takes any."""
        return self.knots or lut.positions

    def _drawn(self, lut: GammaLut, curve: Float[np.ndarray, " k"]) -> Float[np.ndarray, "256"]:
        return np.interp(SEEN, self.positions(lut), curve)

    @staticmethod
    def _seen(lut: GammaLut, channel: int) -> Float[np.ndarray, "256"]:
        return np.interp(SEEN, lut.positions, lut.values[channel])

    # What becomes of a profile ---------------------------------------------------------------------------------

    def realised(self, profile: IspProfile) -> IspProfile:
        """What the camera does with a profile that it can hold, every number rounded as it rounds.

        Raises:
            CamproError: with all reasons, where it cannot hold it.
        """
        if reasons := self.problems(profile):
            remedy = "--fit takes the nearest profile that does; one designed for the camera protects better"
            raise CamproError(f"profile {profile.name}", "one that the camera can hold", "; ".join(reasons), remedy)
        ccm, lut = parts(profile)
        curves = [np.interp(self.positions(lut), lut.positions, curve) for curve in lut.values]
        return self._held(profile, np.array(ccm.matrix), np.array(ccm.offsets), curves, lut)

    def fitted(self, profile: IspProfile) -> IspProfile:
        """The nearest profile that the camera can hold: entries cut at their range, and the curve that is closest in
        least squares over all 8-bit levels."""
        ccm, lut = parts(profile)
        matrix = np.clip(np.array(ccm.matrix), *self.matrix_range)
        offsets = np.zeros(3) if self.offsets is None else np.clip(ccm.offsets, self.offsets.low, self.offsets.high)
        wanted = np.array(lut.values)
        if len(wanted) > self.channels:
            wanted = wanted.mean(0, keepdims=True)
        curves = [self.fitted_curve(GammaLut((tuple(curve),), lut.knots)) for curve in wanted.tolist()]
        return self._held(profile, matrix, offsets, curves, lut)

    def fitted_curve(self, lut: GammaLut) -> Float[np.ndarray, " k"]:
        """Values at the camera's knots whose curve is closest to that of `lut`, which is one curve."""
        positions = self.positions(lut)
        free = _free_values(len(positions), self.end)
        start = {"white": 1.0}.get(self.end, 0.0) * (np.arange(len(positions)) == len(positions) - 1)
        hats = np.array([np.interp(SEEN, positions, one) for one in np.eye(len(positions))]).T
        rows = np.concatenate([hats, FAITH**0.5 * np.eye(len(positions))])
        target = np.concatenate([self._seen(lut, 0), FAITH**0.5 * np.interp(positions, lut.positions, lut.values[0])])
        shape, top = free, np.ones(free.shape[1])
        if self.rise is not None:  # values are sums of rises that are not negative
            shape = free @ np.tril(np.ones((free.shape[1],) * 2))
            top[1:] = self.rise
        solution = lsq_linear(rows @ shape, target - rows @ start, (np.zeros_like(top), top), tol=1e-12)
        return (shape @ solution.x + start).clip(0, 1)

    @property
    def matrix_range(self) -> tuple[float, float]:
        """Smallest and largest entry that both the camera and a profile can hold."""
        return max(self.matrix.low, -CCM_LIMIT), min(self.matrix.high, CCM_LIMIT)

    def nearest_curve(self, values: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """Values at the camera's knots, moved to the nearest that it can hold; exact but for the bound on rises."""
        nearest = np.asarray(values, float).clip(0, 1)
        free = len(nearest) if self.end == "free" else len(nearest) - 1
        if self.rise is not None:
            nearest[:free] = isotonic_regression(nearest[:free]).x
            for knot in range(1, free):  # too steep a rise is spread over the knots that follow
                nearest[knot] = min(nearest[knot], nearest[knot - 1] + self.rise)
        if self.end != "free":
            nearest[-1] = 1.0 if self.end == "white" else nearest[-2]
        return nearest

    def _held(
        self,
        profile: IspProfile,
        matrix: Float[np.ndarray, "3 3"],
        offsets: Float[np.ndarray, "3"],
        curves: list[Float[np.ndarray, " k"]],
        lut: GammaLut,
    ) -> IspProfile:
        """The profile with these numbers, rounded."""
        held = self.matrix.rounded(matrix).clip(*self.matrix_range)
        shift = offsets if self.offsets is None else self.offsets.rounded(offsets)
        values = tuple(tuple(self.curve_rounded(curve).tolist()) for curve in curves)
        ccm = Ccm(tuple(tuple(row) for row in held.tolist()), tuple(shift.tolist()))
        blocks: list[Block] = [Degamma(), ccm, GammaLut(values, self.knots or lut.knots), Quantise(8)]
        first = profile.blocks[0]
        blocks[0] = first if isinstance(first, Degamma) else blocks[0]
        return IspProfile(profile.name, tuple(blocks), profile.provenance)

    def curve_rounded(self, curve: Float[np.ndarray, "*c k"]) -> Float[np.ndarray, "*c k"]:
        """Values of one curve or several as they are stored."""
        steps = np.asarray(curve) * self.levels
        whole = np.floor(steps + 1e-6) if self.truncates else np.floor(steps + 0.5)
        whole = np.maximum.accumulate(whole, -1) if self.rise is not None else whole
        if self.end == "flat":
            whole[..., -1] = whole[..., -2]
        return whole / self.levels


def parts(profile: IspProfile) -> tuple[Ccm, GammaLut]:
    """The matrix and the curve of a profile for cameras.

    Raises:
        CamproError: where it has other blocks, or does not start from linear light: no camera's matrix and curve do
            the same.
    """
    kinds = [type(block) for block in profile.blocks]
    if kinds != [Degamma, Ccm, GammaLut, Quantise] or profile.blocks[-1] != Quantise(8):
        got = " ".join(block.block for block in profile.blocks) or "nothing"
        remedy = "design one, or start from the profile negative or campro-default"
        raise CamproError(f"profile {profile.name}", "blocks degamma, ccm, gamma_lut, quantise to 8 bit", got, remedy)
    _, ccm, lut, _ = profile.blocks
    assert isinstance(ccm, Ccm)
    assert isinstance(lut, GammaLut)
    return ccm, lut


def _free_values(count: int, end: str) -> Float[np.ndarray, "count free"]:
    """Curve values as linear functions of the values that may be chosen."""
    every = np.eye(count)
    if end == "free":
        return every
    chosen = every[:, :-1].copy()
    if end == "flat":
        chosen[-1] = chosen[-2]
    return chosen


def spaced(*segments: tuple[int, int], top: int) -> tuple[float, ...]:
    """Knots from (how many, how far apart), the last at `top`, as shares of `top`.

    >>> spaced((2, 1), (1, 2), top=4)
    (0.0, 0.25, 0.5, 1.0)
    """
    places = [0]
    for count, apart in segments:
        places += [places[-1] + apart * (i + 1) for i in range(count)]
    places[-1] = top
    assert all(a < b for a, b in pairwise(places))
    return tuple(place / top for place in places)

"""Limits of a camera's gamma curve: its knots, whether it may fall, and how its values are stored."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float

from campro.isp.profile import GammaLut

LEVEL = 1 / 255
LINEAR_LEVELS = (np.arange(256) * LEVEL) ** 2.2
"""Linear values of all 8-bit levels: curves are compared at these inputs."""
KNOT_WEIGHT = 1e-4
"""Weight of the error at knots, next to 1 at LINEAR_LEVELS: it determines knots between which no 8-bit level lies."""

Curve = Float[np.ndarray, " k"]


@dataclass(frozen=True)
class CurveLimits:
    """What a camera can hold of a gamma curve."""

    knots: tuple[float, ...] | None = None
    """Inputs at which values are stored, rising from 0 to 1; None: any."""
    levels: int = 65535
    """Stored number that stands for 1."""
    truncates: bool = False
    """Whether values are rounded down instead of to the nearest."""
    rise: float | None = None
    """Largest rise between two knots, for a camera whose curve cannot fall; None: any rise or fall."""
    end: Literal["free", "white", "flat"] = "free"
    """The last value: any, always 1 (white), or always equal to the last but one (flat)."""

    def positions(self, lut: GammaLut) -> tuple[float, ...]:
        """The camera's knots, or the profile's if the camera accepts any."""
        return self.knots or lut.positions

    def resampled(self, lut: GammaLut) -> Float[np.ndarray, "c k"]:
        """Values of the profile's curves at the camera's knots."""
        return np.array([np.interp(self.positions(lut), lut.positions, curve) for curve in lut.values])

    def problems(self, lut: GammaLut) -> list[str]:
        """The reasons why the camera cannot hold these curves; empty if it can."""
        wanted, found = self.resampled(lut), []
        rises = np.diff(wanted)
        if self.rise is not None and (rises < -LEVEL / 2).any():
            found.append("its gamma curve falls, and the camera's cannot")
        if self.rise is not None and (rises > self.rise + 1.5 / self.levels).any():
            found.append(f"its gamma curve rises by more than {self.rise:.3f} between two knots")
        if self.end == "white" and (wanted[:, -1] < 1 - LEVEL / 2).any():
            found.append("the camera's gamma curve always ends at white")
        if self.end == "flat" and (np.abs(rises[:, -1]) > LEVEL / 2).any():
            found.append("the camera's gamma curve is flat after the last knot but one")
        drawn = [np.interp(LINEAR_LEVELS, self.positions(lut), curve) for curve in wanted]
        original = [np.interp(LINEAR_LEVELS, lut.positions, curve) for curve in lut.values]
        bent = np.abs(np.array(drawn) - original).max() / LEVEL
        if bent > 0.5:
            found.append(f"its gamma curve bends between the camera's knots, by up to {bent:.1f} levels of 255")
        return found

    def rounded(self, values: Float[np.ndarray, "*c k"]) -> Float[np.ndarray, "*c k"]:
        """Values of curves, rounded as the camera stores them."""
        steps = np.asarray(values) * self.levels
        whole = np.floor(steps + 1e-6) if self.truncates else np.floor(steps + 0.5)
        whole = np.maximum.accumulate(whole, -1) if self.rise is not None else whole
        if self.end == "flat":
            whole[..., -1] = whole[..., -2]
        return whole / self.levels

    def nearest(self, values: Curve) -> Curve:
        """Values at the camera's knots, moved to the nearest values that it can hold.

        It is the exact projection (isotonic regression), except that the bound on rises is applied afterwards.
        """
        from scipy.optimize import isotonic_regression  # slow to import

        moved = np.asarray(values, float).clip(0, 1)
        free = len(moved) if self.end == "free" else len(moved) - 1
        if self.rise is not None:
            moved[:free] = isotonic_regression(moved[:free]).x
            for knot in range(1, free):  # a rise that is too steep goes on over the next knots
                moved[knot] = min(moved[knot], moved[knot - 1] + self.rise)
        if self.end != "free":
            moved[-1] = 1.0 if self.end == "white" else moved[-2]
        return moved

    def fitted(self, lut: GammaLut) -> Float[np.ndarray, "c k"]:
        """Values at the camera's knots whose curves are closest to the profile's, by least squares at LINEAR_LEVELS."""
        from scipy.optimize import lsq_linear  # slow to import

        positions = self.positions(lut)
        hats = np.array([np.interp(LINEAR_LEVELS, positions, one) for one in np.eye(len(positions))]).T
        rows = np.concatenate([hats, KNOT_WEIGHT**0.5 * np.eye(len(positions))])
        fixed, shape, top = self._unknowns(len(positions))
        fits = []
        for curve, knot_values in zip(lut.values, self.resampled(lut)):
            target = np.concatenate([np.interp(LINEAR_LEVELS, lut.positions, curve), KNOT_WEIGHT**0.5 * knot_values])
            solution = lsq_linear(rows @ shape, target - rows @ fixed, (np.zeros_like(top), top), tol=1e-12)
            fits.append((shape @ solution.x + fixed).clip(0, 1))
        return np.array(fits)

    def _unknowns(self, count: int) -> tuple[Curve, Float[np.ndarray, "k free"], Float[np.ndarray, " free"]]:
        """The curve's values as `fixed` + `shape` @ unknowns, with unknowns from 0 to `top`: limits become bounds."""
        fixed, shape = np.zeros(count), np.eye(count)
        if self.end != "free":
            shape = shape[:, :-1]
            shape[-1] = shape[-2] if self.end == "flat" else 0
            fixed[-1] = self.end == "white"
        top = np.ones(shape.shape[1])
        if self.rise is not None:  # the unknowns are rises, and values are their sums
            shape = shape @ np.tril(np.ones((shape.shape[1],) * 2))
            top[1:] = self.rise
        return fixed, shape, top

    def __str__(self) -> str:
        where = f"curve of {len(self.knots)} knots" if self.knots else "curve of any knots"
        falls = " that cannot fall" if self.rise is not None else ""
        return where + falls + ("" if self.end == "free" else f", its end always {self.end}")


@dataclass(frozen=True)
class PowerLimits(CurveLimits):
    """Limits of a camera that accepts only an exponent and computes x ** (1 / gamma) at its knots."""

    gammas: tuple[float, float] = (0.1, 10.0)
    """Smallest and largest gamma."""

    def problems(self, lut: GammaLut) -> list[str]:
        """See `CurveLimits.problems`."""
        (wanted,) = self.resampled(lut)[:1]
        apart = np.abs(wanted - self.nearest(wanted)).max() / LEVEL
        if apart <= 1:
            return []
        return [f"the camera's gamma curve is a power of its input, the profile's is {apart:.0f} levels from any"]

    def nearest(self, values: Curve) -> Curve:
        """See `CurveLimits.nearest`."""
        return self._power(self.gamma_of(values))

    def fitted(self, lut: GammaLut) -> Float[np.ndarray, "c k"]:
        """See `CurveLimits.fitted`."""
        return np.array([self.nearest(curve) for curve in self.resampled(lut)])

    def gamma_of(self, values: Curve) -> float:
        """The gamma whose curve x ** (1 / gamma) is closest to the values at the camera's knots (least squares)."""
        from scipy.optimize import minimize_scalar  # slow to import

        low, high = np.log(self.gammas)

        def distance(log_gamma: float) -> float:
            return float(np.square(self._power(np.exp(log_gamma)) - values).sum())

        starts = np.linspace(low, high, 33)  # the distance can have several local minima
        best = min(starts, key=distance)
        step = starts[1] - starts[0]
        bounds = (max(low, best - step), min(high, best + step))
        return float(np.exp(minimize_scalar(distance, bounds=bounds, method="bounded", options={"xatol": 1e-7}).x))

    def _power(self, gamma: float) -> Curve:
        assert self.knots is not None
        return np.array(self.knots) ** (1 / gamma)

    def __str__(self) -> str:
        return "an exponent for a curve"


def spaced(*segments: tuple[int, int], top: int) -> tuple[float, ...]:
    """Knots in [0, 1] from segments (number of knots, distance in units of 1 / top), the last knot at `top`.

    >>> spaced((2, 1), (1, 2), top=4)
    (0.0, 0.25, 0.5, 1.0)
    """
    places = [0]
    for count, apart in segments:
        places += [places[-1] + apart * (i + 1) for i in range(count)]
    places[-1] = top
    assert all(a < b for a, b in pairwise(places))
    return tuple(place / top for place in places)

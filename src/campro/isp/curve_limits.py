"""The gamma curve of a camera: where it has knots, whether it may fall, how its values are stored."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.optimize import isotonic_regression, lsq_linear, minimize_scalar

from campro.isp.profile import GammaLut

LEVEL = 1 / 255
SEEN = (np.arange(256) * LEVEL) ** 2.2
"""Linear values of all 8-bit levels: where a curve is looked at."""
FAITH = 1e-4
"""Weight with which a fitted curve follows the wanted one at its knots, where no level of a picture tells."""

Curve = Float[np.ndarray, " k"]


@dataclass(frozen=True)
class CurveLimits:
    """What a camera can hold of a gamma curve."""

    knots: tuple[float, ...] | None = None
    """Where values are stored, rising from 0 to 1; None: anywhere."""
    levels: int = 65535
    """Largest value as it is stored."""
    truncates: bool = False
    """Values are rounded down, not to the nearest."""
    rise: float | None = None
    """Largest rise between two knots of a camera whose curve cannot fall; None: it may fall and rise at will."""
    end: Literal["free", "white", "flat"] = "free"
    """The last value: as stored, always 1, or always that of the last knot but one."""

    def positions(self, lut: GammaLut) -> tuple[float, ...]:
        """The camera's knots; those of the profile where the camera takes any."""
        return self.knots or lut.positions

    def resampled(self, lut: GammaLut) -> Float[np.ndarray, "c k"]:
        """The profile's curves at the camera's knots."""
        return np.array([np.interp(self.positions(lut), lut.positions, curve) for curve in lut.values])

    def problems(self, lut: GammaLut) -> list[str]:
        """Why the camera cannot draw these curves; empty if it can."""
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
        drawn = [np.interp(SEEN, self.positions(lut), curve) for curve in wanted]
        seen = [np.interp(SEEN, lut.positions, curve) for curve in lut.values]
        bent = np.abs(np.array(drawn) - seen).max() / LEVEL
        if bent > 0.5:
            found.append(f"its gamma curve bends between the camera's knots, by up to {bent:.1f} levels of 255")
        return found

    def rounded(self, values: Float[np.ndarray, "*c k"]) -> Float[np.ndarray, "*c k"]:
        """Values of one curve or several as they are stored."""
        steps = np.asarray(values) * self.levels
        whole = np.floor(steps + 1e-6) if self.truncates else np.floor(steps + 0.5)
        whole = np.maximum.accumulate(whole, -1) if self.rise is not None else whole
        if self.end == "flat":
            whole[..., -1] = whole[..., -2]
        return whole / self.levels

    def nearest(self, values: Curve) -> Curve:
        """Values at the camera's knots, moved to the nearest that it can hold; exact but for the bound on rises."""
        moved = np.asarray(values, float).clip(0, 1)
        free = len(moved) if self.end == "free" else len(moved) - 1
        if self.rise is not None:
            moved[:free] = isotonic_regression(moved[:free]).x
            for knot in range(1, free):  # too steep a rise is spread over the knots that follow
                moved[knot] = min(moved[knot], moved[knot - 1] + self.rise)
        if self.end != "free":
            moved[-1] = 1.0 if self.end == "white" else moved[-2]
        return moved

    def fitted(self, lut: GammaLut) -> Float[np.ndarray, "c k"]:
        """Values at the camera's knots whose curves are closest to the profile's: least squares over 8-bit levels."""
        positions = self.positions(lut)
        hats = np.array([np.interp(SEEN, positions, one) for one in np.eye(len(positions))]).T
        rows = np.concatenate([hats, FAITH**0.5 * np.eye(len(positions))])
        fixed, shape, top = self._unknowns(len(positions))
        fits = []
        for curve, knot_values in zip(lut.values, self.resampled(lut)):
            target = np.concatenate([np.interp(SEEN, lut.positions, curve), FAITH**0.5 * knot_values])
            solution = lsq_linear(rows @ shape, target - rows @ fixed, (np.zeros_like(top), top), tol=1e-12)
            fits.append((shape @ solution.x + fixed).clip(0, 1))
        return np.array(fits)

    def _unknowns(self, count: int) -> tuple[Curve, Float[np.ndarray, "k free"], Float[np.ndarray, " free"]]:
        """Values as a fixed part, plus linear functions of unknowns from 0 up to their tops."""
        fixed, shape = np.zeros(count), np.eye(count)
        if self.end != "free":
            shape = shape[:, :-1]
            shape[-1] = shape[-2] if self.end == "flat" else 0
            fixed[-1] = self.end == "white"
        top = np.ones(shape.shape[1])
        if self.rise is not None:  # values are sums of rises that are not negative
            shape = shape @ np.tril(np.ones((shape.shape[1],) * 2))
            top[1:] = self.rise
        return fixed, shape, top

    def __str__(self) -> str:
        where = f"curve of {len(self.knots)} knots" if self.knots else "curve of any knots"
        falls = " that cannot fall" if self.rise is not None else ""
        return where + falls + ("" if self.end == "free" else f", its end always {self.end}")


@dataclass(frozen=True)
class PowerLimits(CurveLimits):
    """Of a camera that takes an exponent and draws x ** (1 / gamma) at its knots by itself."""

    gammas: tuple[float, float] = (0.1, 10.0)
    """Smallest and largest."""

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
        """The exponent's inverse whose power is closest to values at the camera's knots."""
        low, high = np.log(self.gammas)

        def distance(log_gamma: float) -> float:
            return float(np.square(self._power(np.exp(log_gamma)) - values).sum())

        starts = np.linspace(low, high, 33)  # the distance can have several valleys
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

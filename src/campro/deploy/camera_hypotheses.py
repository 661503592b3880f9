"""What a camera may run, and how well each possibility explains a pair of shots.

A possibility is a matrix and a curve. What nobody knows of the camera is fitted for each of them alike: the tone curve
of the default shot (an exponent and an S-shape) and three gains, the differences of exposure and white balance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from campro.core.errors import CamproError
from campro.deploy.colour_samples import Colours, Samples
from campro.isp.limits import parts
from campro.isp.profile import BUILTIN_PROFILES, IspProfile, load_profile

PROFILE, NONE, MATRIX_ONLY, CURVE_ONLY = "the profile", "no profile", "its matrix only", "its curve only"
GAMMA, GAMMA_SPREAD = 2.2, 0.25
"""Expected exponent of the tone curve, and its standard deviation between cameras."""
SHAPE_SPREAD = 0.05
"""Standard deviation of the strength of the S-shape: light = (x + strength sin(2 pi x)) ^ exponent."""
GAIN_SPREAD = 0.35
"""Standard deviation of the natural logarithm of a gain: half an EV."""
PRIOR = 4 / 255
"""Residual that weighs as much as one standard deviation of one of these, for each of 100 samples."""
ROBUST = 6 / 255
"""Residuals beyond this are weighted linearly."""
STARTS = (0.0, -0.5, 0.5)
"""Natural logarithms of common gains from which a fit starts."""
BOUNDS = ((1.4, -0.15, -2, -2, -2), (3.2, 0.15, 2, 2, 2))
"""Of exponent, S-shape and gains."""
FEW, EVALUATIONS = 400, 20
"""Samples with which the starts are compared, and most steps of a fit."""
LARGEST = 64
"""Residuals in levels are clipped here: moving objects must not decide."""
PLACES, MIN_AT_PLACE = 4, 6
"""Rows and columns of the grid of places, and smallest number of samples of a place."""
LEVELS = np.arange(1025) / 1024


@dataclass(frozen=True)
class Hypothesis:
    """One possibility of what the camera runs."""

    name: str
    matrix: Float[np.ndarray, "3 3"]
    offsets: Float[np.ndarray, "3"]
    curve: tuple[Float[np.ndarray, " k"], Float[np.ndarray, "c k"]] | None
    """Knots and values; None: the camera's own tone curve."""

    def outputs(self, default: Colours, unknown: Float[np.ndarray, "5"]) -> Colours:
        """Predicted protected colours in [0, 1] for an exponent, an S-shape and three gains (logarithms)."""
        light_of = _light(LEVELS, unknown)
        light = np.interp(default, LEVELS, light_of) * np.exp(unknown[2:])
        mixed = (light.clip(0, 1) @ self.matrix.T + self.offsets).clip(0, 1)
        if self.curve is None:
            return np.asarray(np.interp(mixed, light_of, LEVELS))
        knots, values = self.curve
        return np.stack([np.interp(mixed[:, c], knots, values[c % len(values)]) for c in range(3)], 1)


@dataclass(frozen=True)
class Explanation:
    """A hypothesis fitted to samples."""

    name: str
    error: float
    """Mean absolute difference of prediction and shot in 8-bit levels, each clipped at `LARGEST`."""
    unknown: Float[np.ndarray, "5"]
    outputs: Colours
    by_place: Float[np.ndarray, " places"]
    """The error in each place of a grid over the picture that has `MIN_AT_PLACE` samples."""


def _light(levels: Float[np.ndarray, " n"], unknown: Float[np.ndarray, "5"]) -> Float[np.ndarray, " n"]:
    shaped = levels + unknown[1] * np.sin(2 * np.pi * levels)
    return np.asarray(np.maximum.accumulate(shaped.clip(0, 1)) ** unknown[0])


def hypotheses(profile: IspProfile) -> list[Hypothesis]:
    """The profile, no profile, half of the profile, and every other built-in profile that cameras can run.

    Raises:
        CamproError: If the profile has blocks that cameras do not have (see `campro.isp.limits.parts`).
    """
    ccm, lut = parts(profile)
    matrix, offsets, unit = np.array(ccm.matrix), np.array(ccm.offsets), np.eye(3)
    curve = np.array(lut.positions), np.array(lut.values)
    found = [
        Hypothesis(PROFILE, matrix, offsets, curve),
        Hypothesis(NONE, unit, np.zeros(3), None),
        Hypothesis(MATRIX_ONLY, matrix, offsets, None),
        Hypothesis(CURVE_ONLY, unit, np.zeros(3), curve),
    ]
    for name in BUILTIN_PROFILES:
        try:
            other = load_profile(name)
            ccm, lut = parts(other)
        except CamproError:
            continue
        if other.digest != profile.digest and name != "identity":
            values = np.array(lut.values)
            if np.ptp(values) > 0:  # a constant picture has no evidence
                found.append(
                    Hypothesis(name, np.array(ccm.matrix), np.array(ccm.offsets), (np.array(lut.positions), values))
                )
    return found


def explained(hypothesis: Hypothesis, samples: Samples) -> Explanation:
    """Fit what is unknown, by robust least squares from `STARTS`, and measure what is left."""
    few = samples.subset(np.arange(0, len(samples), max(1, len(samples) // FEW)))
    starts = [_fit(hypothesis, few, np.array([GAMMA, 0, gain, gain, gain])) for gain in STARTS]
    _, best = min(starts, key=lambda one: one[0])
    _, unknown = _fit(hypothesis, samples, best)
    outputs = hypothesis.outputs(samples.default, unknown)
    error = distance(outputs, samples.protected)
    return Explanation(hypothesis.name, error, unknown, outputs, _by_place(outputs, samples))


def significance(one: Explanation, other: Explanation) -> float:
    """t statistic, over places of the picture, of how much larger the error of `other` is; 0 with fewer than 3 places.

    Places are compared, not samples, because errors of neighbouring samples are not independent.
    """
    apart = other.by_place - one.by_place
    if len(apart) < 3:
        return 0.0
    deviation = float(apart.std(ddof=1)) / np.sqrt(len(apart))
    return float(apart.mean() / max(deviation, 1e-9))


def _by_place(outputs: Colours, samples: Samples) -> Float[np.ndarray, " places"]:
    places = (samples.place * PLACES).astype(int).clip(0, PLACES - 1) @ (1, PLACES)
    inside = [places == place for place in np.unique(places)]
    return np.array([distance(outputs[here], samples.protected[here]) for here in inside if here.sum() >= MIN_AT_PLACE])


def _fit(
    hypothesis: Hypothesis, samples: Samples, start: Float[np.ndarray, "5"]
) -> tuple[float, Float[np.ndarray, "5"]]:
    """Cost and unknown numbers after robust least squares."""
    centre = np.array([GAMMA, 0, 0, 0, 0])
    spread = np.array([GAMMA_SPREAD, SHAPE_SPREAD, GAIN_SPREAD, GAIN_SPREAD, GAIN_SPREAD])
    weight = PRIOR * np.sqrt(len(samples) / 100)

    def residuals(unknown: Float[np.ndarray, "5"]) -> Float[np.ndarray, " n"]:
        apart = hypothesis.outputs(samples.default, unknown) - samples.protected
        return np.concatenate([apart.ravel(), weight * (unknown - centre) / spread])

    fit = least_squares(
        residuals, start, bounds=BOUNDS, loss="soft_l1", f_scale=ROBUST, diff_step=2e-3, max_nfev=EVALUATIONS
    )
    return float(fit.cost), np.asarray(fit.x)


def distance(one: Colours, other: Colours) -> float:
    """Mean absolute difference in 8-bit levels, each clipped at `LARGEST`."""
    return float(np.minimum(255 * np.abs(one - other), LARGEST).mean())

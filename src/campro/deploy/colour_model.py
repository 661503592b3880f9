"""Protected colours as a function of default colours, with its derivatives: what a calibration fits.

protected = curve(matrix x (gains of the pair x tone(default)) + offsets); all values in [0, 1], all curves piecewise
linear. The gains of a pair (three numbers) are the differences of exposure and white balance between its shots.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from campro.deploy.colour_samples import Samples
from campro.isp.limits import ccm_of, parts
from campro.isp.profile import CCM_LIMIT, GammaLut, IspProfile, MeasuredDegamma, Quantise

TONE_POINTS = 33
GAMMA = 2.2
"""Exponent of the tone curve at which a fit starts."""

Vector = Float[np.ndarray, " P"]


@dataclass(frozen=True)
class ColourModel:
    """Parameters of one camera and of the gains of its pairs."""

    rises: Float[np.ndarray, " k-1"]
    """Logarithms of the rises of the tone curve, up to a common constant."""
    matrix: Float[np.ndarray, "3 3"]
    offsets: Float[np.ndarray, "3"]
    values: Float[np.ndarray, "c K"]
    """Gamma curves: one for all channels or three."""
    gains: Float[np.ndarray, "pairs 3"]
    """Natural logarithms of the gains of red, green and blue of each pair."""
    knots: Float[np.ndarray, " K"]
    has_offsets: bool

    @staticmethod
    def start(nominal: IspProfile, pairs: int) -> ColourModel:
        """The model at the nominal profile, without differences of exposure."""
        ccm, lut = parts(nominal)
        even = np.linspace(0, 1, TONE_POINTS)
        return ColourModel(
            np.log(np.diff(even**GAMMA).clip(min=1e-5)),
            np.array(ccm.matrix, float),
            np.array(ccm.offsets, float),
            np.array(lut.values, float),
            np.zeros((pairs, 3)),
            np.array(lut.positions, float),
            any(ccm.offsets),
        )

    @property
    def tone(self) -> Float[np.ndarray, " k"]:
        """Linear light at evenly spaced levels; rises from 0 to 1."""
        total = np.concatenate([[0.0], np.exp(self.rises - self.rises.max()).cumsum()])
        return np.asarray(total / total[-1])

    @property
    def tone_by_rise(self) -> Float[np.ndarray, "k k-1"]:
        """Derivative of the tone curve by `rises`."""
        tone = self.tone
        return np.asarray(np.diff(tone) * (np.tril(np.ones((len(tone), len(tone) - 1)), -1) - tone[:, None]))

    @property
    def vector(self) -> Vector:
        """All free parameters: rises, matrix, offsets (if any), values, gains."""
        offsets = self.offsets if self.has_offsets else np.zeros(0)
        return np.concatenate([self.rises, self.matrix.ravel(), offsets, self.values.ravel(), self.gains.ravel()])

    @property
    def sections(self) -> dict[str, slice]:
        """Where each kind of parameter is in `vector`."""
        sizes = {
            "rises": self.rises.size,
            "matrix": 9,
            "offsets": 3 * self.has_offsets,
            "values": self.values.size,
            "gains": self.gains.size,
        }
        ends = np.cumsum(list(sizes.values()))
        return {name: slice(int(end) - size, int(end)) for (name, size), end in zip(sizes.items(), ends)}

    def moved(self, vector: Vector) -> ColourModel:
        """The model with these parameters, projected to the ranges of a profile."""
        at = self.sections
        return replace(
            self,
            rises=vector[at["rises"]] - vector[at["rises"]].mean(),
            matrix=vector[at["matrix"]].reshape(3, 3).clip(-CCM_LIMIT, CCM_LIMIT),
            offsets=vector[at["offsets"]].clip(-1, 1) if self.has_offsets else self.offsets,
            values=vector[at["values"]].reshape(self.values.shape).clip(0, 1),
            gains=vector[at["gains"]].reshape(-1, 3),
        )

    def outputs(self, samples: Samples) -> Float[np.ndarray, "N 3"]:
        """Predicted protected colours in [0, 1]."""
        return self._forward(samples)[0]

    def _forward(self, samples: Samples) -> tuple[np.ndarray, ...]:
        """Outputs, light behind the gains, its share that is not clipped, left knots, positions between knots."""
        even = np.linspace(0, 1, TONE_POINTS)
        light = np.interp(samples.default, even, self.tone) * np.exp(self.gains[samples.pair])
        mixed = light.clip(0, 1) @ self.matrix.T + self.offsets
        inside = mixed.clip(0, 1)
        left = (np.searchsorted(self.knots, inside, side="right") - 1).clip(0, len(self.knots) - 2)
        share = (inside - self.knots[left]) / (self.knots[left + 1] - self.knots[left])
        channel = np.arange(3) % len(self.values)
        low, high = self.values[channel, left], self.values[channel, left + 1]
        slope = np.where(mixed == inside, (high - low) / (self.knots[left + 1] - self.knots[left]), 0.0)
        return low + share * (high - low), light.clip(0, 1), light < 1, left, share, slope

    def jacobian(self, samples: Samples) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3 P"]]:
        """Outputs, and their derivatives by every parameter of `vector`."""
        outputs, light, unclipped, left, share, slope = self._forward(samples)
        count, at = len(samples), self.sections
        rows = np.arange(count)
        result = np.zeros((count, 3, at["gains"].stop))
        by_light = slope[:, :, None] * self.matrix * unclipped[:, None, :]  # (sample, output channel, light channel)
        result[:, :, at["rises"]] = self._by_rises(samples, by_light)
        for out in range(3):
            start = at["matrix"].start + 3 * out
            result[:, out, start : start + 3] = slope[:, out, None] * light
            if self.has_offsets:
                result[:, out, at["offsets"].start + out] = slope[:, out]
            first = at["values"].start + (out % len(self.values)) * self.values.shape[1]
            result[rows, out, first + left[:, out]] = 1 - share[:, out]
            result[rows, out, first + left[:, out] + 1] = share[:, out]
            for source in range(3):
                column = at["gains"].start + 3 * samples.pair + source
                result[rows, out, column] = by_light[:, out, source] * light[:, source]
        return outputs, result

    def _by_rises(self, samples: Samples, by_light: np.ndarray) -> Float[np.ndarray, "N 3 k-1"]:
        tone_by_rise = self.tone_by_rise
        place = samples.default * (TONE_POINTS - 1)
        low = np.floor(place).astype(int).clip(0, TONE_POINTS - 2)
        part = (place - low)[..., None]
        light_by_rise = tone_by_rise[low] * (1 - part) + tone_by_rise[low + 1] * part  # (sample, light channel, rise)
        light_by_rise *= np.exp(self.gains[samples.pair])[..., None]
        return np.asarray(by_light @ light_by_rise)

    def profile(self, name: str) -> IspProfile:
        """Blocks measured degamma, CCM, gamma LUT and 8-bit rounding."""
        lut = GammaLut(tuple(tuple(curve) for curve in self.values.tolist()), tuple(self.knots.tolist()))
        ccm = ccm_of(self.matrix, self.offsets)
        return IspProfile(name, (MeasuredDegamma((*self.tone.tolist()[:-1], 1.0)), ccm, lut, Quantise(8)))

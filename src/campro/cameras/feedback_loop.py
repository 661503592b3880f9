"""Closed loop of white balance and exposure: does a profile's matrix disturb what the camera measures?

A camera that takes its statistics from the raw picture (Raspberry Pi: Bayer statistics of the front end; rkaiq: AWB and
AE statistics before the matrix; libcamera's software ISP: swstats_cpu.cpp) is not affected. libcamera's RkISP1 measures
the means of white balance and the exposure histogram behind the colour matrix (src/ipa/rkisp1/algorithms/awb.cpp):
releases from 0.5.1 on multiply the means by the inverse of the matrix, older ones do not. ESP32-P4: the application
chooses; Espressif's esp_video measures white balance before the matrix, and exposure behind matrix and curve (the
curve, a usual one for `campro-strong`, is left out here). A matrix with a large condition number maps most colours to
the border of the range, where they are cut off, and the inverse amplifies the error.

The condition number alone does not decide: a matrix that maps grey to a negative value freezes the loop with any.

This is a small simulation of that loop on random scenes, not a measurement of a camera. It leaves out the choice of
pixels by chroma, lens shading, noise, and the time that exposure needs to act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Statistics = Literal["raw", "behind-matrix", "behind-matrix-inverted", "exposure-behind-matrix"]
"""Where the statistics are taken: the raw picture; behind the matrix (libcamera up to 0.5.0); the same, multiplied by
the inverse matrix (libcamera from 0.5.1 on); white balance raw and exposure behind the matrix."""

RELEASES: dict[Statistics, str] = {
    "raw": "raw statistics",
    "behind-matrix": "libcamera up to 0.5.0",
    "behind-matrix-inverted": "libcamera from 0.5.1 on",
    "exposure-behind-matrix": "exposure behind the matrix",
}
"""Name of each kind in messages."""
FRAMES = 60
"""Frames until the loop must have settled: 2 s at 30 frames a second."""
SPEED = 0.2
"""Share of a new measurement in the gains (awb.cpp)."""
DARKEST = 2.0
"""Means of all channels below this level freeze the gains (kMeanMinThreshold in awb.cpp)."""
LEAST_GAIN, LARGEST_GAIN = 1 / 256, 1023 / 256
TARGET = 0.16
"""Mean linear luma that exposure aims at."""
TOLERANCE = 0.1
"""Largest relative error of a gain, and of exposure, that counts as settled."""
LIGHTS = ((1.0, 1.0, 0.45), (0.6, 1.0, 0.6), (0.5, 1.0, 0.75))
"""Raw values of a grey card: lamp light, daylight, shade."""
LUMA = np.array([0.25, 0.5, 0.1094])
LUMA_RANGE = (16 / 255, 250 / 255)
"""Pixels outside are left out of the means (min_y, max_y in awb.cpp)."""

Rgb = Float[np.ndarray, "3"]
Matrix = Float[np.ndarray, "3 3"]


@dataclass(frozen=True)
class LoopResult:
    """State of the loop after `FRAMES` frames, the worst of all lights and scenes."""

    gain_error: float
    """Largest relative error of the red and the blue gain against the gains without a profile."""
    exposure_error: float
    """Largest relative error of the exposure against the one without a profile."""
    frozen: float
    """Share of frames in which the means were too dark, so that the gains stayed as they were."""

    @property
    def settled(self) -> bool:
        """Whether white balance and exposure end where they do without a profile."""
        return max(self.gain_error, self.exposure_error) <= TOLERANCE


def simulate_loop(matrix: Matrix, statistics: Statistics, scenes: int = 2) -> LoopResult:
    """Run the loop of white balance and exposure with a matrix behind the gains.

    Args:
        matrix: The profile's matrix for column vectors; the camera's own is taken as the identity.
        statistics: Where the camera measures.
        scenes: Number of random scenes.

    Returns:
        The worst result over scenes and lights.
    """
    rng = np.random.default_rng(0)
    worst = LoopResult(0.0, 0.0, 0.0)
    for _ in range(scenes):
        grey, colour = rng.uniform(0.02, 0.9, (256, 1)), rng.uniform(0.5, 1.5, (256, 3))
        surfaces = grey * colour / colour.mean(0)
        for light in LIGHTS:
            raw = surfaces * np.array(light)
            gains, exposure, frozen = _settle(raw, np.asarray(matrix, float), statistics)
            wanted, right, _ = _settle(raw, np.eye(3), "raw")
            worst = LoopResult(
                max(worst.gain_error, float(np.abs(gains / wanted - 1).max())),
                max(worst.exposure_error, abs(exposure / right - 1)),
                max(worst.frozen, frozen),
            )
    return worst


def _settle(raw: Float[np.ndarray, "n 3"], matrix: Matrix, statistics: Statistics) -> tuple[Rgb, float, float]:
    """Gains, exposure and share of frozen frames at the end."""
    gains, exposure, frozen = np.ones(3), 1.0, 0
    if statistics == "raw":
        matrix = np.eye(3)
    for _ in range(FRAMES):
        picture = ((raw * exposure).clip(0, 1) * gains).clip(0, 1)
        seen = (picture @ matrix.T).clip(0, 1)
        means = _means(picture if statistics == "exposure-behind-matrix" else seen)
        if statistics == "behind-matrix-inverted":
            means = np.linalg.inv(matrix) @ means
        means = means / np.maximum(gains, 0.01)
        if (means < DARKEST).all():
            frozen += 1
        else:
            aim = (means[1] / np.maximum(means, 1.0)).clip(LEAST_GAIN, LARGEST_GAIN)
            gains = SPEED * aim + (1 - SPEED) * gains
        luma = float((seen @ LUMA).mean() / LUMA.sum())
        exposure = float(np.clip(exposure * np.clip(TARGET / max(luma, 1e-4), 0.5, 2) ** 0.5, 1 / 64, 64))
    return gains, exposure, frozen / FRAMES


def _means(seen: Float[np.ndarray, "n 3"]) -> Rgb:
    """Means of 8-bit levels over the pixels whose luma is in range, rounded as the hardware does."""
    luma = seen @ LUMA / LUMA.sum()
    kept = seen[(luma >= LUMA_RANGE[0]) & (luma <= LUMA_RANGE[1])]
    return np.round(kept.mean(0) * 255) if len(kept) else np.zeros(3)

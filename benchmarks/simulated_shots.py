"""Simulated cameras that photograph scenes with and without a profile, for benchmarks of calibration and verification.

A sensor with noise and its own colour matrix is exposed, developed with a tone curve of its own (default shot) or with
a profile (protected shot), moved a little between the shots, and stored as JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from skimage import data
from sklearn.datasets import load_sample_images

from campro.core.types import Rgb8
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise
from campro.isp.functional import through_jpeg
from campro.isp.raw import RawCamera, Sensor

LIGHT = np.linspace(0, 1, 65)


@dataclass(frozen=True)
class Conditions:
    """What differs between the two shots, apart from the profile."""

    stops: float = 0.0
    """Exposure of the protected shot relative to the default one, in EV."""
    balance: tuple[float, float] = (1.0, 1.0)
    """Factors of the gains of red and blue in the protected shot."""
    quality: int | None = 95
    """JPEG quality of both shots."""
    local: float = 0.0
    """Strength of local tone mapping of both finished pictures; 0: none, 0.5: strong."""
    noise: float = 1e-4
    """Shot noise; see `Sensor.with_noise`."""


@cache
def scenes(width: int = 480) -> list[Rgb8]:
    """Twelve photographs of scikit-image and scikit-learn, or halves of them, of this width."""
    china, flower = load_sample_images().images
    whole = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket(), china, flower]
    halves = [half for one in (china, flower, data.astronaut()) for half in np.array_split(one, 2, axis=1)]
    return [_resized(one, width) for one in (*whole, *halves)]


def _resized(rgb: Rgb8, width: int) -> Rgb8:
    height = round(rgb.shape[0] * width / rgb.shape[1] / 2) * 2
    return np.ascontiguousarray(cv2.resize(rgb, (width, min(height, width)), interpolation=cv2.INTER_AREA))


def default_profile(tone: np.ndarray) -> IspProfile:
    """A camera without a profile: unit matrix, and `tone`, 65 values from 0 to 1, as its curve."""
    lut = GammaLut((tuple(tone.tolist()),))
    return IspProfile("default", (Degamma(), Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), lut, Quantise(8)))


def random_tone(rng: np.random.Generator) -> np.ndarray:
    """A tone curve: a gamma between 1.9 and 2.5 with an S-shape of random strength."""
    curve = LIGHT ** (1 / rng.uniform(1.9, 2.5))
    return np.asarray((curve - rng.uniform(0, 0.06) * np.sin(2 * np.pi * curve)).clip(0, 1))


def shot(
    scene: Rgb8, profile: IspProfile, conditions: Conditions, rng: np.random.Generator, moved: bool = True
) -> Rgb8:
    """One picture of the scene by a camera with this profile, moved by up to 3 pixels and 0.4 degrees."""
    if moved:
        height, width = scene.shape[:2]
        turn = np.array(cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-0.4, 0.4), 1.0), float)
        turn[:, 2] += rng.uniform(-3, 3, 2)
        scene = np.asarray(cv2.warpAffine(scene, turn, (width, height), borderMode=cv2.BORDER_REFLECT))
    sensor = replace(Sensor.with_noise(conditions.noise), quality=None)
    mosaic = RawCamera(profile, sensor, seed=int(rng.integers(1 << 30))).expose(scene[: scene.shape[0] // 2 * 2])
    red, blue = sensor.gains
    other = replace(sensor, gains=(red * conditions.balance[0], blue * conditions.balance[1]))
    picture = RawCamera(profile, other).develop((mosaic * 2**conditions.stops).clip(0, 1))
    if conditions.local:
        picture = locally_mapped(picture, conditions.local)
    if conditions.quality is None:
        return picture
    return through_jpeg(picture, conditions.quality)


def locally_mapped(rgb: Rgb8, strength: float) -> Rgb8:
    """Local tone mapping: dark places are raised and bright places lowered, in linear light."""
    light = (rgb / 255.0) ** 2.2
    around = cv2.GaussianBlur(light.mean(2), (0, 0), max(rgb.shape) / 16) + 0.01
    mapped = light * ((around / np.exp(np.log(around).mean())) ** -strength)[..., None]
    return np.asarray(np.floor(255 * mapped.clip(0, 1) ** (1 / 2.2) + 0.5), np.uint8)

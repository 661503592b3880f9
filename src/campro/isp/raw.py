"""Simulation of a whole camera: a photograph is unprocessed to a sensor's raw mosaic, then developed with a profile.

A profile looks better on clean sRGB pictures than in a real camera, which applies it to noisy, mosaicked light; a steep
gamma curve amplifies that noise.

Source of unprocessing and of noise levels: Brooks et al., Unprocessing Images for Learned Raw Denoising, CVPR 2019,
sections 3.1 to 3.4.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float

from campro.core.checks import check_rgb8
from campro.core.hashing import json_digest
from campro.core.types import Rgb8
from campro.isp.functional import through_jpeg
from campro.isp.limits import parts
from campro.isp.profile import IspProfile, Matrix3

IMX219: Matrix3 = ((2.18174, -0.70887, -0.47287), (-0.70196, 2.76426, -1.06231), (-0.25157, -0.71978, 1.97135))
"""White-balanced sensor RGB to linear sRGB (row = output channel) of the Raspberry Pi Camera Module 2 at 4650 K.

Source: libcamera, src/ipa/rpi/vc4/data/imx219.json.
"""
GAMMA = 2.2
"""Exponent from sRGB levels in [0, 1] to linear light."""
LOG_READ_SLOPE, LOG_READ_OFFSET = 2.18, 1.20
"""ln(read) = slope ln(shot) + offset, both variances: Brooks et al., section 3.1."""


@dataclass(frozen=True)
class Sensor:
    """A sensor and its exposure; the variance of noise is shot * signal + read, for a signal of 1 at white."""

    shot: float = 0.0
    read: float = 0.0
    matrix: Matrix3 = IMX219
    """White-balanced sensor RGB to linear sRGB; row = output channel."""
    gains: tuple[float, float] = (1.65, 1.49)
    """White balance gains of red and blue; green has gain 1."""
    bits: int = 12
    """Resolution of the raw mosaic."""
    quality: int | None = 95
    """Quality, 1 to 100, of the JPEG file that the camera writes; None: no compression."""

    @staticmethod
    def with_noise(shot: float, **settings: object) -> Sensor:
        """A sensor with this shot noise, 1e-4 (bright) to 1.2e-2 (night), and typical read noise (Brooks et al.)."""
        read = float(np.exp(LOG_READ_SLOPE * np.log(shot) + LOG_READ_OFFSET))
        return replace(Sensor(shot=shot, read=read), **settings)  # type: ignore[arg-type]


class RawCamera:
    """The `ImageTransform` of a whole camera: from a picture of a scene to the camera's file of that scene.

    Noise depends on the picture and the seed alone, so the same picture always gives the same result.
    """

    def __init__(self, profile: IspProfile, sensor: Sensor, seed: int = 0, name: str | None = None) -> None:
        """A profile without blocks is the camera without a profile, with gamma 1/2.2.

        Raises:
            CamproError: if the profile has blocks that cameras do not have (see `campro.isp.limits.parts`).
        """
        if profile.blocks:
            parts(profile)
        self.profile, self.sensor, self.seed = profile, sensor, seed
        self.name = name or profile.name
        self.digest = json_digest({"profile": profile.digest, "sensor": asdict(sensor), "seed": seed})

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The camera's picture of the scene; any size.

        Raises:
            CamproError: if `rgb` is not an 8-bit picture.
        """
        check_rgb8(rgb, "raw camera")
        height, width = rgb.shape[:2]
        even = cv2.copyMakeBorder(rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        developed = self.develop(self.expose(even))[:height, :width]
        return developed if self.sensor.quality is None else through_jpeg(developed, self.sensor.quality)

    def expose(self, rgb: Rgb8) -> Float[np.ndarray, "H W"]:
        """The raw mosaic in [0, 1], with noise, rounded to the sensor's bits; Bayer pattern RGGB (red top left).

        The sides of the picture must be even.
        """
        native = ((rgb / 255.0) ** GAMMA @ np.linalg.inv(self.sensor.matrix).T) / self._white_balance()
        mosaic = np.empty(rgb.shape[:2])
        for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
            mosaic[row::2, column::2] = native[row::2, column::2, channel]
        mosaic = mosaic.clip(0, 1)
        deviation = np.sqrt(self.sensor.shot * mosaic + self.sensor.read)
        noisy = mosaic + deviation * self._generator(rgb).standard_normal(mosaic.shape)
        levels = 2**self.sensor.bits - 1
        return np.floor(noisy.clip(0, 1) * levels + 0.5) / levels

    def develop(self, mosaic: Float[np.ndarray, "H W"]) -> Rgb8:
        """Develop an RGGB mosaic in [0, 1]: white balance, demosaicking, matrix, gamma curve, rounding to 8 bits.

        The matrix is the profile's times the sensor's; the curve is the profile's.
        """
        balanced = mosaic.copy()
        red, blue = self.sensor.gains
        balanced[0::2, 0::2] *= red
        balanced[1::2, 1::2] *= blue
        words = np.floor(balanced.clip(0, 1) * 65535 + 0.5).astype(np.uint16)
        light = cv2.demosaicing(words, cv2.COLOR_BayerRGGB2RGB_EA) / 65535.0
        matrix = np.array(self.sensor.matrix)
        if not self.profile.blocks:
            shown = (light @ matrix.T).clip(0, 1) ** (1 / GAMMA)
        else:
            ccm, lut = parts(self.profile)
            mixed = (light @ (np.array(ccm.matrix) @ matrix).T + ccm.offsets).clip(0, 1)
            curves = [lut.values[channel % len(lut.values)] for channel in range(3)]
            shown = np.stack([np.interp(mixed[..., c], lut.positions, curves[c]) for c in range(3)], -1)
        return np.floor(shown * 255 + 0.5).astype(np.uint8)

    def _white_balance(self) -> Float[np.ndarray, "3"]:
        red, blue = self.sensor.gains
        return np.array([red, 1.0, blue])

    def _generator(self, rgb: Rgb8) -> np.random.Generator:
        content = hashlib.sha256(np.ascontiguousarray(rgb).tobytes()).digest()
        return np.random.default_rng([self.seed, *content[:16]])

"""A camera from light to file: unprocess a photograph to what a sensor sees, then develop it with a profile in it.

Clean sRGB flatters a profile: real cameras apply it to noisy, mosaicked light, and a steep gamma curve amplifies noise.
Unprocessing and noise levels: Brooks et al., Unprocessing Images for Learned Raw Denoising (CVPR 2019), 3.1 to 3.4.
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
"""Sensor colours to linear sRGB of a Raspberry Pi camera 2 at 4650 K; libcamera, src/ipa/rpi/vc4/data/imx219.json."""
GAMMA = 2.2
LOG_READ_SLOPE, LOG_READ_OFFSET = 2.18, 1.20
"""Natural logarithm of the read noise's variance, from that of the shot noise: Brooks et al., 3.1."""


@dataclass(frozen=True)
class Sensor:
    """A sensor in its light: variance of noise is shot x signal + read, of white at 1."""

    shot: float = 0.0
    read: float = 0.0
    matrix: Matrix3 = IMX219
    gains: tuple[float, float] = (1.65, 1.49)
    """White balance of red and blue, green being 1."""
    bits: int = 12
    quality: int | None = 95
    """Of the JPEG file that the camera writes; None: none."""

    @staticmethod
    def with_noise(shot: float, **settings: object) -> Sensor:
        """A sensor with that shot noise, 1e-4 (bright) to 1.2e-2 (night), and the read noise that goes with it."""
        read = float(np.exp(LOG_READ_SLOPE * np.log(shot) + LOG_READ_OFFSET))
        return replace(Sensor(shot=shot, read=read), **settings)  # type: ignore[arg-type]


class RawCamera:
    """The `ImageTransform` of a whole camera: what its file shows of the scene that `rgb` shows.

    Noise is a function of picture and seed, so that the same picture gives the same file.
    """

    def __init__(self, profile: IspProfile, sensor: Sensor, seed: int = 0, name: str | None = None) -> None:
        """A profile without blocks is the camera as it is, with gamma 1/2.2."""
        if profile.blocks:
            parts(profile)  # refuses what is no camera's
        self.profile, self.sensor, self.seed = profile, sensor, seed
        self.name = name or profile.name
        self.digest = json_digest({"profile": profile.digest, "sensor": asdict(sensor), "seed": seed})

    def __call__(self, rgb: Rgb8) -> Rgb8:
        check_rgb8(rgb, "raw camera")
        height, width = rgb.shape[:2]
        even = cv2.copyMakeBorder(rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        developed = self.develop(self.expose(even))[:height, :width]
        return developed if self.sensor.quality is None else through_jpeg(developed, self.sensor.quality)

    def expose(self, rgb: Rgb8) -> Float[np.ndarray, "H W"]:
        """The mosaic (red top left) of a picture with even sides, in [0, 1], noisy and rounded to the sensor's bits."""
        native = ((rgb / 255.0) ** GAMMA @ np.linalg.inv(self.sensor.matrix).T) / self._white_balance()
        mosaic = np.empty(rgb.shape[:2])
        for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
            mosaic[row::2, column::2] = native[row::2, column::2, channel]
        mosaic = mosaic.clip(0, 1)
        spread = np.sqrt(self.sensor.shot * mosaic + self.sensor.read)
        noisy = mosaic + spread * self._generator(rgb).standard_normal(mosaic.shape)
        levels = 2**self.sensor.bits - 1
        return np.floor(noisy.clip(0, 1) * levels + 0.5) / levels

    def develop(self, mosaic: Float[np.ndarray, "H W"]) -> Rgb8:
        """White balance, demosaicking, matrix (profile x own), gamma curve, 8 bit."""
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

"""Pairs of shots by a simulated camera that deviates from its profile, for calibration where no camera is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from campro.core.images import read_image, write_image
from campro.core.progress import track
from campro.core.types import Rgb8
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise
from campro.isp.limits import parts
from campro.isp.profile import Block
from campro.isp.raw import RawCamera, Sensor

SENSOR = Sensor.with_noise(3e-4)
MATRIX_NOISE, CURVE_POWER, SEED = 0.04, 1.1, 0
"""Standard deviation of the matrix entries' error, and the power of the curve's error."""
SHIFT, TURN = (2.3, -1.7), 0.3
"""Movement between the shots of a pair: pixels in x and y, and degrees."""


def take_pairs(photographs: Sequence[Path], out: Path, profile: IspProfile) -> None:
    """Write default/ and protected/, a shot each per photograph, and truth.json, the profile as the camera applies it.

    Default shots pass a tone curve of the camera; protected shots pass a matrix and a curve that differ slightly from
    those of the profile (seeded). Both are noisy, and the camera moves by two to three pixels in between.

    Args:
        photographs: of scenes.
        out: folder of the pairs.
        profile: the one that the camera is supposed to apply.

    Raises:
        CamproError: for a photograph that cannot be read.
    """
    light = np.linspace(0, 1, 65)
    tone = (0.9 * light**0.5 + 0.1 * np.sin(np.pi * light / 2)).clip(0, 1)
    own = GammaLut((tuple(tone.tolist()),))
    identity = Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    default = RawCamera(IspProfile("default", (Degamma(), identity, own, Quantise(8))), SENSOR)
    truth = deviating(profile)
    protected = RawCamera(truth, SENSOR, seed=1)
    for photo in track(photographs, "take pairs"):
        rgb = read_image(photo)
        write_image(out / "default" / f"{photo.stem}.png", default(rgb))
        write_image(out / "protected" / f"{photo.stem}.png", protected(shifted(rgb)))
    truth.save(out / "truth.json")


def deviating(profile: IspProfile) -> IspProfile:
    """The profile as this camera really applies it."""
    ccm, lut = parts(profile)
    matrix = np.array(ccm.matrix) + np.random.default_rng(SEED).normal(0, MATRIX_NOISE, (3, 3))
    values = np.array(lut.values) ** CURVE_POWER
    new: dict[type, Block] = {
        Ccm: Ccm(tuple(map(tuple, matrix.tolist()))),
        GammaLut: GammaLut(tuple(map(tuple, values.tolist())), lut.knots),
    }
    return replace(profile, blocks=tuple(new.get(type(block), block) for block in profile.blocks))


def shifted(rgb: Rgb8) -> Rgb8:
    """The scene a moment later, (H, W, 3) as before."""
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), TURN, 1.0)
    turn[:, 2] += np.array(SHIFT)
    return np.asarray(cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)

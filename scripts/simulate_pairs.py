"""Pairs of shots for `campro calibrate`, by a simulated camera that does not do what it is told: for a rehearsal.

python scripts/simulate_pairs.py PHOTOGRAPHS OUT [PROFILE [HOW_MANY]]

Default shots go through a tone curve of the camera's own, protected ones through a matrix and a curve that are a little
off the profile's (seeded); both are noisy, and the camera moves by two or three pixels in between. What the camera does
goes to OUT/truth.json.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from campro.core.images import list_images, read_image, write_image
from campro.core.progress import track
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise, load_profile
from campro.isp.limits import parts
from campro.isp.raw import RawCamera, Sensor

SENSOR = Sensor.with_noise(3e-4)
MATRIX_OFF, CURVE_POWER, SEED = 0.04, 1.1, 0
MOVE, TURN = (2.3, -1.7), 0.3
"""Pixels and degrees."""


def main(photographs: Path, out: Path, name: str = "campro-default", count: int = 40) -> None:
    """Take `count` pairs."""
    light = np.linspace(0, 1, 65)
    tone = (0.9 * light**0.5 + 0.1 * np.sin(np.pi * light / 2)).clip(0, 1)
    own = GammaLut((tuple(tone.tolist()),))
    identity = Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    default = RawCamera(IspProfile("default", (Degamma(), identity, own, Quantise(8))), SENSOR)
    truth = off(load_profile(name))
    protected = RawCamera(truth, SENSOR, seed=1)
    for photo in track(list_images(photographs)[:count], "take pairs"):
        rgb = read_image(photo)
        write_image(out / "default" / f"{photo.stem}.png", default(rgb))
        write_image(out / "protected" / f"{photo.stem}.png", protected(moved(rgb)))
    truth.save(out / "truth.json")


def off(profile: IspProfile) -> IspProfile:
    """The profile as this camera really runs it."""
    ccm, lut = parts(profile)
    matrix = np.array(ccm.matrix) + np.random.default_rng(SEED).normal(0, MATRIX_OFF, (3, 3))
    values = np.array(lut.values) ** CURVE_POWER
    new = {
        Ccm: Ccm(tuple(map(tuple, matrix.tolist()))),
        GammaLut: GammaLut(tuple(map(tuple, values.tolist())), lut.knots),
    }
    return replace(profile, blocks=tuple(new.get(type(block), block) for block in profile.blocks))


def moved(rgb: np.ndarray) -> np.ndarray:
    """The scene a moment later."""
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), TURN, 1.0)
    turn[:, 2] += MOVE
    return cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REFLECT)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4], *map(int, sys.argv[4:5]))

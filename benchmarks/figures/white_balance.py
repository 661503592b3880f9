"""How far colours drift where a camera's white balance is wrong, without a profile and with one.

python -m benchmarks.figures.white_balance PROFILE...

Red gain times the error, blue gain divided by it, as a wrong colour temperature does; the matrix behind stays the same.
A simulated camera without noise, on photographs that scikit-image and scikit-learn ship.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import skimage
from skimage.color import deltaE_ciede2000, rgb2lab
from sklearn.datasets import load_sample_images

from campro.core.types import Rgb8
from campro.isp import IspProfile, load_profile
from campro.isp.raw import RawCamera, Sensor

ERRORS = (0.9, 0.95, 1.05, 1.1)
RIGHT = Sensor(quality=None)


def main(names: list[str]) -> None:
    """Print mean drift, in levels of 255 and as CIEDE2000, for each profile and error."""
    data = skimage.data
    scenes = [data.astronaut(), data.coffee(), data.chelsea(), *load_sample_images().images]
    profiles = [IspProfile("raw", ()), *(load_profile(name) for name in names)]
    print("| red gain off by | " + " | ".join(profile.name for profile in profiles) + " |")
    print("|---" * (len(profiles) + 1) + "|")
    for error in ERRORS:
        cells = [
            np.mean([drift(profile, scene[: len(scene) // 2 * 2], error) for scene in scenes], 0)
            for profile in profiles
        ]
        row = " | ".join(f"{levels:.1f} levels, {colours:.1f}" for levels, colours in cells)
        print(f"| {error - 1:+.0%} | {row} |", flush=True)


def drift(profile: IspProfile, rgb: Rgb8, error: float) -> tuple[float, float]:
    """Mean difference in levels, and CIEDE2000, between right and wrong white balance."""
    red, blue = RIGHT.gains
    wrong = replace(RIGHT, gains=(red * error, blue / error))
    even = np.ascontiguousarray(rgb[:, : rgb.shape[1] // 2 * 2])
    mosaic = RawCamera(profile, RIGHT).expose(even)
    right, off = (RawCamera(profile, sensor).develop(mosaic) for sensor in (RIGHT, wrong))
    colours = deltaE_ciede2000(rgb2lab(right), rgb2lab(off))
    return float(np.abs(right.astype(int) - off).mean()), float(colours.mean())


if __name__ == "__main__":
    main(sys.argv[1:] or ["campro-default"])

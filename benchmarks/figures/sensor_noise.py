"""How much a profile amplifies a sensor's noise: of a simulated camera with and without it, before JPEG.

python -m benchmarks.figures.sensor_noise PHOTOGRAPHS PROFILE...
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from campro.core.images import list_images, read_image
from campro.isp import RAW, IspProfile, load_profile
from campro.isp.raw import RawCamera, Sensor
from campro.metrics.quality import flicker

SHOTS = (1e-4, 1e-3, 1e-2)
"""Shot noise in bright light, indoors, and at night."""
PHOTOS, FRAMES = 20, 8


def main(photographs: Path, names: list[str]) -> None:
    """Print a table: noise in levels (standard deviation over frames, RMS over pixels, mean over photographs)."""
    photos = [read_image(photo) for photo in list_images(photographs)[:PHOTOS]]
    profiles = {"no profile": RAW.profile} | {name: load_profile(name) for name in names}
    print("| shot noise | " + " | ".join(profiles) + " |\n" + "|---" * (1 + len(profiles)) + "|")
    for shot in SHOTS:
        levels = [np.mean([_noise(photo, profile, shot) for photo in photos]) for profile in profiles.values()]
        cells = [f"{level:.1f} ({level / levels[0]:.1f} x)" for level in levels]
        print(f"| {shot:g} | " + " | ".join(cells) + " |", flush=True)


def _noise(photo: np.ndarray, profile: IspProfile, shot: float) -> float:
    sensor = Sensor.with_noise(shot, quality=None)
    return flicker(RawCamera(profile, sensor, seed)(photo) for seed in range(FRAMES))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

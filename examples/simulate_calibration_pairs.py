"""Simulate pairs of shots for `campro calibrate`, taken by a camera that deviates from its profile.

    python -m examples.simulate_calibration_pairs PHOTOGRAPHS OUT [PROFILE [COUNT]]
    campro calibrate --help

The profile that the camera really applies is written to OUT/truth.json, so that the calibration can be compared with
it. How the camera deviates: `campro.deploy.simulated_pairs`.
"""

from __future__ import annotations

from pathlib import Path

import tyro

from campro.core.images import list_images
from campro.deploy.simulated_pairs import take_pairs
from campro.isp import load_profile


def main(
    photographs: tyro.conf.Positional[Path],
    out: tyro.conf.Positional[Path],
    profile: tyro.conf.Positional[str] = "campro-default",
    count: tyro.conf.Positional[int] = 40,
) -> None:
    """Write pairs of shots and the camera's real profile.

    Args:
        photographs: folder of scenes.
        out: folder of the pairs: default/, protected/ and truth.json.
        profile: the profile that the camera is supposed to apply.
        count: number of pairs.
    """
    take_pairs(list_images(photographs)[:count], out, load_profile(profile))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)

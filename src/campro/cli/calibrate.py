"""`campro calibrate`: fit the simulation to a real camera from pairs of shots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

EXAMPLE = "campro calibrate --default shots/default --protected shots/protected --out calibrated"


@dataclass(frozen=True)
class Config:
    """Fit the tone curve, matrix, gamma curve and noise of a real camera, and measure the agreement of the simulation.

    A pair is two files of the same name, one in each folder: a scene with the camera's default parameters, and the
    same scene with the profile. Use a tripod and fixed exposure; take ten or more colourful scenes.
    """

    default: Path
    """Folder of shots with the camera's default parameters."""
    protected: Path
    """Folder of shots with the profile."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the calibrated profile, the figures and a comparison picture."""
    profile: str = "campro-default"
    """Profile that the camera was set to: realised.json of `campro deploy`, or a name."""
    detector: str = "campro-person"
    """Person detector whose AP is measured (`campro models`); an empty text for none."""


def run(config: Config) -> int:
    """Calibrate, and print the summary; the exit status is 1 if the calibration is not reliable."""
    from campro.deploy.calibration import calibrate

    summary, reliable = calibrate(config.default, config.protected, config.profile, config.out, config.detector)
    print(summary)
    return 0 if reliable else 1

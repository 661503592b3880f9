"""`campro calibrate`: what a real camera does with a profile, from pairs of shots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Config:
    """Fit tone curve, matrix, curve and noise of a real camera, and say how well it is simulated.

    A pair is two files of the same name, one in each folder: a scene by the camera with its default parameters, and
    the same scene with the profile in it. Use a tripod, fix the exposure, take colourful scenes, ten or more.
    """

    default: Path
    """Folder of shots with the camera's default parameters."""
    protected: Path
    """Folder of shots with the profile."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the calibrated profile, the figures and a picture to compare."""
    profile: str = "campro-default"
    """What the camera was told to run: realised.json of `campro deploy`, or a name."""
    detector: str = "campro-person"
    """Person detector that judges what persons are lost (`campro models`); an empty text leaves it out."""


def run(config: Config) -> None:
    """Fit, judge, write."""
    from campro.deploy.calibration import calibrate

    print(calibrate(config.default, config.protected, config.profile, config.out, config.detector))

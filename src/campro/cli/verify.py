"""`campro verify`: does this camera run this profile?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = "campro verify --camera-shot now.jpg --default-shot before.jpg --profile deployed/realised.json"


@dataclass(frozen=True)
class Config:
    """Tell from one or two shots of any scene whether a camera runs a profile: yes, no, or cannot tell.

    The exit status is 0 for yes, 3 for no, 4 for cannot tell. Take both shots of the same scene from a tripod; exposure
    and white balance may differ. Without a default shot the answer is often "cannot tell".
    """

    camera_shot: Path
    """What the camera gives now."""
    default_shot: Path | None = None
    """The same scene, taken with the camera's default parameters."""
    profile: str = "campro-default"
    """Profile that the camera should run: realised.json of `campro deploy`, or a name."""
    json: bool = False
    """Print JSON."""


def run(config: Config) -> int:
    """Print the answer and its evidence."""
    from campro.deploy.verification import STATUS, verify

    verdict = verify(config.camera_shot, config.default_shot, config.profile)
    if config.json:
        print(json.dumps(verdict.document(), indent=1))
        return STATUS[verdict.answer]
    print(f"{verdict.answer}: {verdict.reason}")
    for name, error in verdict.errors.items():
        print(f"  {name:<18} is {error:5.1f} levels off")
    if verdict.gains:
        gains = ", ".join(f"{gain:+.2f}" for gain in verdict.gains)
        print(f"  {verdict.samples} areas; exposure of red, green, blue {gains} EV")
    return STATUS[verdict.answer]

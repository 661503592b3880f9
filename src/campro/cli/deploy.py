"""`campro deploy`: write a profile as the files that a camera's own software loads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

EXAMPLE = "campro deploy --target rpi-vc4 --base imx219.json --profile campro-strong --out deployed"


@dataclass(frozen=True)
class Config:
    """Write a profile for a camera, and measure the difference that the camera's rounding makes."""

    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the files, the profile as the camera rounds it (realised.json), and instructions (README.md)."""
    target: str = "auto"
    """Camera platform (`campro targets` lists them); auto: the one whose kind of file --base is."""
    profile: str = "campro-default"
    """Built-in profile or path of its JSON file."""
    base: Path | None = None
    """The camera's own file, if the target needs one; it is not changed."""
    fit: bool = False
    """Deploy the nearest profile that the camera can hold, if it cannot hold this one."""
    fixed_white_balance: bool = False
    """The application fixes white balance and exposure; for profiles with which they do not settle (RkISP1)."""


def run(config: Config) -> None:
    """Write the files, and print the difference over all colours, what was switched, and what still acts.

    Raises:
        CamproError: After the files are written, if the realised profile misses the figures of its card.
    """
    from campro.core.errors import CamproError
    from campro.deploy.deployment import deploy

    done = deploy(config.target, config.profile, config.base, config.out, config.fit, config.fixed_white_balance)
    print("\n".join(done.lines))
    if done.misses:
        wanted = "a realised profile that keeps the figures of its card"
        remedy = "the files are written; do not use them without an audit of realised.json"
        raise CamproError("NOT PROTECTED", wanted, "; ".join(done.misses), remedy)

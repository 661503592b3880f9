"""`campro deploy`: a profile as the files that a camera's own software loads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Config:
    """Write a profile for a camera, and say what the camera will make of it."""

    target: str
    """Camera platform; `campro targets` lists them."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the files, the profile as the camera realises it, and what to do with them."""
    profile: str = "campro-default"
    """Built-in profile or path of its JSON file."""
    base: Path | None = None
    """The camera's own file, where the target needs one; it is not changed."""
    fit: bool = False
    """Take the nearest profile that the camera can hold, if it cannot hold this one."""


def run(config: Config) -> None:
    """Write, read back, and compare over all colours."""
    from campro.deploy.deployment import deploy

    print(deploy(config.target, config.profile, config.base, config.out, config.fit))

"""`campro models`: which recognisers and detectors there are, which are here, and how to get the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Config:
    """List the weight files CamPro knows, or fetch one: `campro models`, `campro models fetch NAME`."""

    action: Annotated[Literal["list", "fetch"], tyro.conf.Positional] = "list"
    """List all, or fetch the one named."""
    name: Annotated[str, tyro.conf.Positional] = ""
    """What to fetch."""
    sha256: str = ""
    """The hash you vouch for, needed where the publisher gives none."""
    json: bool = False
    """Print the list as JSON, with full hashes and paths."""


def run(config: Config) -> None:
    """List or fetch the weights of the catalogue."""
    from campro.cli._assets import fetch_asset, list_assets

    if config.action == "fetch":
        fetch_asset("model", config.name, config.sha256)
    else:
        list_assets("model", config.json)

"""`campro data`: list data sets of the catalogue, or fetch one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Config:
    """List data sets, or fetch one: `campro data`, `campro data fetch NAME`."""

    action: Annotated[Literal["list", "fetch"], tyro.conf.Positional] = "list"
    """List all, or fetch one."""
    name: Annotated[str, tyro.conf.Positional] = ""
    """Name of the data set to fetch."""
    sha256: str = ""
    """Expected hash; required if the catalogue has none."""
    json: bool = False
    """Print the list as JSON, with full hashes and paths."""


def run(config: Config) -> None:
    """List or fetch the data sets of the catalogue."""
    from campro.cli._assets import fetch_asset, list_assets

    if config.action == "fetch":
        fetch_asset("data", config.name, config.sha256)
    else:
        list_assets("data", config.json)

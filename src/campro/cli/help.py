"""`campro help COMMAND`: the same page as `campro COMMAND --help`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

EXAMPLE = "campro help audit"


@dataclass(frozen=True)
class Config:
    """Print the help of a command."""

    command: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="COMMAND")]
    """Name of the command."""


def run(config: Config) -> None:
    """Print the page.

    Raises:
        CamproError: for an unknown command.
    """
    from campro.cli.main import COMMANDS, print_help
    from campro.core.errors import CamproError

    if config.command not in COMMANDS:
        raise CamproError("help", "one of " + ", ".join(COMMANDS), repr(config.command))
    print_help(config.command)

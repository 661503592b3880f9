"""`campro COMMAND`: find the command, parse its options, run it, and report an error in one line.

A command is a module of this folder with a frozen dataclass `Config` (its options) and `run(config)`. Heavy packages
are imported inside `run` only, so that `--help` takes less than half a second.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from inspect import getdoc
from types import ModuleType
from typing import Any

from campro import __version__
from campro.cli.choices import check_choices
from campro.cli.config_file import read_options, split_config, with_options
from campro.core.catalogue import cache_root
from campro.core.errors import CamproError

COMMANDS = {
    "demo": "design, audit and report on the embedded sample",
    "design": "train a profile against face recognition that keeps person detection",
    "audit": "measure what a profile protects and what it costs",
    "attack": "measure how much identification the attacks restore",
    "compare": "several audits side by side, the worst attack of each",
    "report": "turn a run folder into one HTML page, JSON and CSV",
    "deploy": "write a profile as the files that a camera's own software loads",
    "targets": "list the cameras that profiles can be written for",
    "calibrate": "fit the simulation to a real camera, from pairs of shots",
    "capture": "apply a profile to images, folders and video files",
    "enhance": "restore natural colours in captured pictures, except in faces",
    "models": "list or fetch weights of face recognisers and person detectors",
    "data": "list or fetch data sets",
    "completion": "print a completion script for bash, zsh or fish",
}

CONFIG_HELP = "--config FILE.yaml reads options from a file; the command line overrides them."


def usage() -> str:
    """The page that `campro --help` prints."""
    rows = "\n".join(f"  {name:<12}{what}" for name, what in COMMANDS.items())
    return (
        "usage: campro COMMAND [OPTIONS]\n       campro --version | -V\n\n"
        "Camera ISP profiles that stop face recognition while person detection still works.\n\n"
        f"{rows}\n\ncampro COMMAND --help lists a command's options.\n{CONFIG_HELP}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit status: 0, 1 (bad input), 2 (bad call) or 130 (interrupted).
    """
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help"):
        print(usage())
        return 0 if args else 2
    if args[0] in ("-V", "--version"):
        print(f"campro {__version__}")
        return 0
    if args[0] not in COMMANDS:
        print(f"campro: unknown command {args[0]!r}; one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return _run(args[0], args[1:])


def parse(command: str, args: Sequence[str]) -> Any:
    """Parse a command's options, from `--config FILE` if given and from the command line, which overrides the file.

    Raises:
        CamproError: If the file is unusable.
        SystemExit: If the command line is unusable (status 2), or asks for help (status 0).
    """
    import tyro

    file, rest = split_config(args)
    config = _module(command).Config
    default = None if file is None else with_options(config, read_options(file, config), tyro.MISSING)
    description = f"{getdoc(config)}\n\n{CONFIG_HELP}"
    return tyro.cli(config, args=rest, default=default, prog=f"campro {command}", description=description)


def _module(command: str) -> ModuleType:
    return import_module(f"campro.cli.{command}")


def _run(command: str, args: list[str]) -> int:
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    os.environ.setdefault("MPLCONFIGDIR", str(cache_root() / "matplotlib"))  # its font list, else in ~/.cache
    try:
        config = parse(command, args)
        check_choices(config)
        _module(command).run(config)
    except (CamproError, OSError) as error:
        print(f"campro {command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"campro {command}: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

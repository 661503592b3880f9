"""`campro VERB`: find the command, parse its one dataclass, run it, and turn errors into one line.

A command is a module of this folder with a frozen dataclass `Config` (its options) and `run(config)`. Nothing
heavy is imported before `run`, so `--help` answers at once.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from campro import __version__
from campro.core.errors import CamproError

COMMANDS = {
    "demo": "the main job on the embedded sample: design, audit, report",
    "design": "train a profile against face recognition, keeping person detection",
    "audit": "measure what a profile protects and what it costs",
    "attack": "measure how much of what a profile hides attackers bring back",
    "compare": "several audits side by side, the worst attack of each",
    "report": "turn a run folder into one HTML page, JSON and CSV",
    "deploy": "write a profile as the files that a camera's own software loads",
    "targets": "list the cameras that profiles can be written for",
    "calibrate": "fit the simulation to a real camera, from pairs of shots",
    "capture": "apply a profile to images, folders and video files",
    "enhance": "make captured pictures pleasant to look at, with the faces left out",
    "models": "list or fetch recognisers and detectors",
    "data": "list or fetch data sets",
}


def usage() -> str:
    """The page that `campro --help` prints."""
    rows = "\n".join(f"  {name:<10}{what}" for name, what in COMMANDS.items())
    return (
        "usage: campro COMMAND [OPTIONS]\n\n"
        "Make a camera hand out pictures that face recognition cannot use while person detection still works.\n\n"
        f"{rows}\n\ncampro COMMAND --help lists a command's options."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 (bad input), 2 (bad call) or 130 (interrupted)."""
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help"):
        print(usage())
        return 0 if args else 2
    if args[0] == "--version":
        print(f"campro {__version__}")
        return 0
    if args[0] not in COMMANDS:
        print(f"campro: unknown command {args[0]!r}; one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return _run(args[0], args[1:])


def _run(command: str, args: list[str]) -> int:
    import tyro

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    module = import_module(f"campro.cli.{command}")
    config = tyro.cli(module.Config, args=args, prog=f"campro {command}", description=COMMANDS[command])
    try:
        module.run(config)
    except (CamproError, OSError) as error:
        print(f"campro {command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"campro {command}: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

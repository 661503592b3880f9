"""`campro COMMAND`: find the command, parse its options, run it, and report an error in one line.

A command is a module of this folder with a frozen dataclass `Config` (its options) and `run(config)`. Heavy packages
are imported inside `run` only, so that `--help` takes less than half a second. A command may also have `GROUPS` and
`EXAMPLE` for its help page, see `campro.cli.help_page`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any

from campro import __version__
from campro.cli.choices import check_choices, check_inputs
from campro.cli.config_file import read_options, split_config, with_options
from campro.cli.help_page import help_page
from campro.core.catalogue import cache_root
from campro.core.errors import CamproError

COMMANDS = {
    "demo": "design, audit and report on the embedded sample",
    "design": "train a profile against face recognition that keeps person detection",
    "audit": "measure what a profile protects and what it costs",
    "attack": "measure how much identification the attacks restore",
    "compare": "several audits side by side, the worst attack of each",
    "range": "the distances at which people are identified, and detected",
    "paper": "the tables and figures of the paper, each number beside that of the paper",
    "report": "turn a run folder into one HTML page, JSON and CSV",
    "deploy": "write a profile as the files that a camera's own software loads",
    "profiles": "list the built-in profiles, with the worst case of each that was audited",
    "targets": "list the cameras that profiles can be written for",
    "calibrate": "fit the simulation to a real camera, from pairs of shots",
    "verify": "tell from one or two shots whether a camera runs a profile",
    "capture": "apply a profile to images, folders and video files",
    "enhance": "restore natural colours in captured pictures, except in faces",
    "stream": "send live video through a profile or an enhancer to a player, recorder or server",
    "serve": "a page in the browser: try profiles, compare faces, reports, camera files",
    "models": "list or fetch weights of face recognisers and person detectors",
    "data": "list or fetch data sets",
    "completion": "print a completion script for bash, zsh or fish",
    "help": "print the page of a command",
}

RESUMING = ("demo", "design", "audit", "attack", "paper", "models")
"""Commands that go on where they were stopped when they are given again."""
QUICK = ("profiles", "targets", "models", "data", "completion", "help")
"""Commands that end within a second, without progress."""
QUIET = ("--quiet", "-q")
STATUS = """exit status
  0    everything that was asked for is done
  1    input that cannot be used, or files that were left out; one line on stderr says which
  2    unknown command or option
  130  interrupted (Ctrl-C)
campro verify: 0 yes, 3 no, 4 cannot tell"""


def usage() -> str:
    """The page that `campro --help` prints."""
    rows = "\n".join(f"  {name:<12}{what}" for name, what in COMMANDS.items())
    return (
        "usage: campro COMMAND [OPTIONS]\n       campro --version | -V\n\n"
        "Camera ISP profiles that stop face recognition while person detection still works.\n\n"
        f"{rows}\n\ncampro help COMMAND, or campro COMMAND --help, lists a command's options. Every command takes\n"
        "--config FILE.yaml, which reads options from a file, and --quiet (-q), without progress on stderr.\n\n"
        f"{STATUS}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit status: 0, 1 (bad input), 2 (bad call), 130 (interrupted), or that which the command's `run` returns.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    while args and args[0] in QUIET:  # also in front of the command
        args = [*args[1:], args[0]]
        if all(arg in QUIET for arg in args):
            args = []
    if not args or args[0] in ("-h", "--help") or args == ["help"]:
        print(usage())
        return 0 if args else 2
    if args[0] in ("-V", "--version"):
        print(f"campro {__version__}")
        return 0
    if args[0] not in COMMANDS:
        near = get_close_matches(args[0], COMMANDS, 1)
        remedy = f"; did you mean {near[0]}?" if near else ""
        print(f"campro: unknown command {args[0]!r}; one of {', '.join(COMMANDS)}{remedy}", file=sys.stderr)
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
    config = command_module(command).Config
    default = None if file is None else with_options(config, read_options(file, config), tyro.MISSING)
    return tyro.cli(config, args=rest, default=default, prog=f"campro {command}")


def command_module(command: str) -> ModuleType:
    """The module of a command."""
    return import_module(f"campro.cli.{command}")


def print_help(command: str) -> None:
    """Print the help of a command."""
    module = command_module(command)
    print(help_page(command, module.Config, getattr(module, "GROUPS", None), getattr(module, "EXAMPLE", "")))


def _run(command: str, args: list[str]) -> int:
    own, rest = args[: args.index("--")] if "--" in args else args, args[args.index("--") :] if "--" in args else []
    quiet = any(arg in QUIET for arg in own)
    _set_quiet(quiet)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    os.environ.setdefault("MPLCONFIGDIR", str(cache_root() / "matplotlib"))  # its font list, else in ~/.cache
    try:
        if any(arg in ("-h", "--help") for arg in own):
            print_help(command)
            return 0
        config = parse(command, [arg for arg in own if arg not in QUIET] + rest)
        check_choices(config)
        check_inputs(config)
        if command not in QUICK and not quiet:
            print(f"{command}: load libraries", file=sys.stderr, flush=True)  # the first line; PyTorch takes seconds
        status = command_module(command).run(config)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of stdout has ended, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CamproError, OSError) as error:
        print(f"campro {command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        remedy = "; the same command goes on from here" if command in RESUMING else ""
        print(f"campro {command}: interrupted{remedy}", file=sys.stderr)
        return 130
    return status or 0


def _set_quiet(quiet: bool) -> None:
    """Imports the module of progress bars, which takes a tenth of a second, only where it changes something."""
    if quiet or "campro.core.progress" in sys.modules:
        from campro.core.progress import be_quiet

        be_quiet(quiet)


if __name__ == "__main__":
    sys.exit(main())

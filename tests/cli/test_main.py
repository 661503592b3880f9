"""The command line: help without heavy imports, version, exit status, errors in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from campro import __version__
from campro.cli import data
from campro.cli.main import COMMANDS, main
from campro.core.errors import CamproError

HEAVY = (
    "torch",
    "numpy",
    "scipy",
    "numba",
    "cv2",
    "matplotlib",
    "av",
    "onnxruntime",
    "sklearn",
    "skimage",
    "tensorboard",
)


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert all(f"  {name} " in page for name in COMMANDS)
    assert max(map(len, page.splitlines())) <= 120


def test_no_command_is_a_bad_call(capsys):
    assert main([]) == 2
    assert "usage: campro COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option, capsys):
    assert main([option]) == 0
    assert capsys.readouterr().out == f"campro {__version__}\n"


def test_an_unknown_command_is_refused_with_the_known_ones(capsys):
    assert main(["desing"]) == 2
    assert "design" in capsys.readouterr().err


def test_an_unknown_option_is_a_bad_call(capsys):
    with pytest.raises(SystemExit) as end:
        main(["design", "--no-such-option", "1"])
    assert end.value.code == 2
    assert "--no-such-option" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (CamproError("a", "b", "c"), 1, "campro data: a: expected b, got c\n"),
        (OSError(28, "No space left on device"), 1, "campro data: [Errno 28] No space left on device\n"),
        (KeyboardInterrupt(), 130, "campro data: interrupted; the same command goes on from here\n"),
    ],
)
def test_errors_are_one_line_and_set_the_exit_status(error, status, line, monkeypatch, capsys):
    def fail(config):
        raise error

    monkeypatch.setattr(data, "run", fail)
    assert main(["data"]) == status
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_nothing_heavy(command):
    """Imports are counted, not seconds: each of these packages costs more than the half second that help may take."""
    code = (
        "import sys\n"
        "from campro.cli.main import main\n"
        "try:\n    status = main([*sys.argv[1:], '--help'])\n"
        "except SystemExit as end:\n    status = end.code\n"
        "assert not status, status\n"
        f"heavy = set({HEAVY}) & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *command.split()], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--config" in done.stdout

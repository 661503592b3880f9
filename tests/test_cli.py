"""The command line as a user meets it: help at once, errors in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from campro.cli.main import COMMANDS, main


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert all(f"  {name} " in page for name in COMMANDS)


def test_unknown_command_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["desing"]) == 2
    assert "design" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_needs_nothing_heavy(command: str) -> None:
    """Counted in imports, not seconds: torch, numba, OpenCV and matplotlib each cost more than the whole budget."""
    code = (
        "import sys\n"
        "from campro.cli.main import main\n"
        "try:\n    main([sys.argv[1], '--help'])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'numba', 'cv2', 'matplotlib', 'av', 'onnxruntime', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--" in done.stdout

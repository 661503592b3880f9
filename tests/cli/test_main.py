"""The command line: help without heavy imports, version, exit status, errors in one line."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import fields

import pytest
from PIL import Image

from campro import CamproError, __version__
from campro.cli import data
from campro.cli.choices import check_choices
from campro.cli.main import COMMANDS, command_module, main, parse
from campro.core.progress import Progress, note

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


def test_a_near_name_is_proposed(capsys):
    assert main(["desing"]) == 2
    assert "did you mean design?" in capsys.readouterr().err


def test_help_of_a_command_in_both_spellings(capsys):
    pages = []
    for words in (["help", "audit"], ["audit", "--help"], ["audit", "--seed", "1", "-h"]):
        assert main(words) == 0
        pages.append(capsys.readouterr().out)
    assert pages[0] == pages[1] == pages[2]
    assert main(["help", "nope"]) == 1
    assert main(["help"]) == 0


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "campro", "-V"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"campro {__version__}\n")


@pytest.mark.parametrize("words", [["data", "--quiet"], ["-q", "data"], ["data", "-q"], ["data"]])
def test_quiet_leaves_out_progress_and_notes(words, monkeypatch, capsys):
    def work(config):
        with Progress("work", total=1) as progress:
            progress.advance()
        note("a note")
        print("result")

    monkeypatch.setattr(data, "run", work)
    assert main(words) == 0
    out = capsys.readouterr()
    assert out.out == "result\n"
    assert out.err == ("work: 1/1\na note\n" if words == ["data"] else "")


def test_quiet_without_a_command_is_a_bad_call():
    assert main(["-q"]) == 2


def test_exit_statuses_are_documented(capsys):
    main(["--help"])
    page = capsys.readouterr().out
    assert all(f"\n  {status} " in page for status in (0, 1, 2, 130))


def test_a_reader_that_ends_early_is_no_error():
    code = "import sys; from campro.cli.main import main; sys.exit(main(['models', '--json']))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_in_one_group(command):
    module = command_module(command)
    options = [field.name for field in fields(module.Config)]
    grouped = [name for names in getattr(module, "GROUPS", {}).values() for name in names]
    assert not grouped or sorted(grouped) == sorted(options)
    assert grouped or len(options) < 12


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_that_parses(command, capsys):
    example = command_module(command).EXAMPLE
    _, name, *words = shlex.split(example)
    assert name == command
    check_choices(parse(command, words))
    assert main([command, "--help"]) == 0
    assert example in capsys.readouterr().out


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
        (KeyboardInterrupt(), 130, "campro data: interrupted\n"),
    ],
)
def test_errors_are_one_line_and_set_the_exit_status(error, status, line, monkeypatch, capsys):
    def fail(config):
        raise error

    monkeypatch.setattr(data, "run", fail)
    assert main(["data"]) == status
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    ("call", "absent"),
    [
        ("targets", ("torch", "numba", "rich", "scipy.optimize", "onnxruntime", "lightning_fabric", "matplotlib")),
        ("profiles", ("torch", "numba", "scipy", "onnxruntime", "lightning_fabric", "matplotlib")),
        ("models", ("torch", "numba", "numpy", "onnxruntime", "lightning_fabric", "matplotlib")),
        ("capture PICTURE --out OUT.png", ("torch", "av", "onnxruntime", "lightning_fabric", "matplotlib")),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
@pytest.mark.slow
def test_commands_do_not_import_what_they_do_not_use(call, absent, tmp_path):
    """Start-up: torch takes three seconds to import, lightning another three. Imports are counted, not seconds."""
    Image.new("RGB", (64, 48), (90, 120, 150)).save(tmp_path / "a.png")
    words = call.replace("PICTURE", str(tmp_path / "a.png")).replace("OUT", str(tmp_path / "out"))
    code = (
        "import sys\nfrom campro.cli.main import main\n"
        f"assert main({words.split()}) == 0\nfound = set({absent}) & set(sys.modules)\nassert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_enhancers_run_without_torch():
    """Not the whole command, whose inverse table takes seconds."""
    code = "import sys, campro.enhance.runner\nassert not {'torch', 'lightning_fabric'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.slow
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

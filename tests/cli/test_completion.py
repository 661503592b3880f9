"""Completion as the shells run it; a shell that is absent is skipped."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from campro.cli.completion import choices, command_options
from campro.cli.design import Config as DesignOptions
from campro.cli.enhance import Config as EnhanceOptions
from campro.cli.main import COMMANDS, main


def completed(script, *words):
    """The words that bash offers for the last of `words`."""
    line = " ".join(f"'{word}'" for word in words)
    code = f'{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _campro; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.split()


@pytest.fixture
def bash(capsys):
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    assert main(["completion", "bash"]) == 0
    return capsys.readouterr().out


def test_bash_completes_commands_options_and_choices(bash):
    assert completed(bash, "campro", "de") == ["demo", "design", "deploy"]
    assert set(completed(bash, "campro", "")) == {*COMMANDS, "--help", "--version"}
    assert completed(bash, "campro", "design", "--face-w") == ["--face-weights"]
    assert completed(bash, "campro", "design", "--preset", "") == ["paper", "paper-small", "cpu", "quick"]
    assert completed(bash, "campro", "audit", "--conf") == ["--config"]
    assert completed(bash, "campro", "design", "--out", "runs") == []  # file names, by `complete -o default`


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_is_in_the_script_and_the_shell_accepts_it(shell, capsys, tmp_path):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in COMMANDS)
    assert "face-weights" in script
    if shutil.which(shell) is not None:
        (tmp_path / "script").write_text(script)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


def test_options_of_a_command():
    options = dict(command_options(DesignOptions))
    assert {"--out", "--protector-only", "--no-protector-only", "--config", "--help"} <= set(options)
    assert options["--preset"] == ("paper", "paper-small", "cpu", "quick")
    assert "--source" not in dict(command_options(EnhanceOptions)), "a positional argument is no option"
    assert choices(int | None) == ()

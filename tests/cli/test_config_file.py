"""Options from YAML files: types, overriding, and every error with the file and the key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from campro.cli.config_file import converted, read_options, split_config, with_options
from campro.cli.main import COMMANDS, main, parse
from campro.core.errors import CamproError

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.fixture
def write(tmp_path):
    def write(text):
        (tmp_path / "a.yaml").write_text(text)
        return str(tmp_path / "a.yaml")

    return write


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_file_in_configs_is_parsed(file):
    command = file.stem.split("-")[0]
    assert command in COMMANDS
    parse(command, ["--config", str(file)])


def test_there_is_a_file_for_each_long_command():
    assert {file.stem.split("-")[0] for file in CONFIGS} >= {"design", "audit", "attack", "calibrate", "enhance"}


def test_values_get_the_types_of_their_fields(write):
    file = write(
        "scenes: [a.json]\nfaces: faces\nrounds: 3\nomega: 1e-4\nprotector-only: true\nface_model: x\nstart: null"
    )
    config = parse("design", ["--config", file])
    assert config.scenes == (Path("a.json"),)
    assert (config.faces, config.rounds, config.omega, config.start) == (Path("faces"), 3, 1e-4, None)
    assert (config.protector_only, config.face_model) == (True, "x")


def test_the_command_line_overrides_the_file(write):
    file = write("rounds: 3\nenhance: true\nattackers: [ridge, colours]\nseed: 5")
    words = ["--rounds", "7", f"--config={file}", "--no-enhance", "--attackers", "filters"]
    config = parse("design", words)
    assert (config.rounds, config.enhance, config.attackers, config.seed) == (7, False, ("filters",), 5)


def test_a_positional_argument_in_the_file_and_overridden(write):
    file = write("source: photos\nout: enhanced")
    assert parse("enhance", ["--config", file]).source == "photos"
    assert parse("enhance", ["other", "--config", file]).source == "other"


def test_final_values_are_checked_together(write, capsys):
    """--faces in the file and --scenes on the command line are a valid pair; each alone is not."""
    file = write("faces: faces")
    assert parse("design", ["--config", file, "--scenes", "a.json"]).faces == Path("faces")
    with pytest.raises(SystemExit):
        parse("design", ["--config", file])
    assert "--faces and --scenes together" in " ".join(capsys.readouterr().err.split())


def test_a_required_option_in_neither_place_is_missed(write, capsys):
    with pytest.raises(SystemExit) as end:
        parse("calibrate", ["--config", write("default: a\nout: b")])
    assert end.value.code == 2
    assert "--protected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("epochs: 3", r"a\.yaml: expected keys of .*attackers.*'epochs'"),
        ("rounds: many", r"a\.yaml: expected integer or null for rounds, got 'many'"),
        ("rounds: true", "for rounds"),
        ("seed: 1.5", "integer for seed"),
        ("scenes: a.json", "a list of path for scenes"),
        ("preset: slow", "paper or paper-small or cpu or quick for preset"),
        ("enhance: 1", "true or false for enhance"),
        ("face-model: a\nface_model: b", "the key face_model once"),
        ("seed: 1\nseed: 2", "the key seed once"),
        ("[1, 2]", "option names and values"),
        ("", "option names and values"),
        ("a: [", "option names and values"),
    ],
)
def test_errors_name_the_file_and_the_key(write, text, reason):
    with pytest.raises(CamproError, match=reason):
        parse("design", ["--config", write(text)])


def test_a_bad_file_ends_the_command_with_one_line(tmp_path, capsys):
    assert main(["design", "--config", str(tmp_path / "none.yaml")]) == 1
    error = capsys.readouterr().err
    assert "No such file" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("words", [["--config"], ["--config", "a.yaml", "--config=b.yaml"]])
def test_no_file_and_two_files_are_refused(words):
    with pytest.raises(CamproError, match="one file"):
        split_config(words)


def test_defaults_do_not_run_the_checks_of_the_dataclass():
    @dataclass(frozen=True)
    class Strict:
        a: int
        b: tuple[int, ...] = ()

        def __post_init__(self):
            raise AssertionError

    made = with_options(Strict, {"b": (1,)}, "missing")
    assert (made.a, made.b) == ("missing", (1,))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1, bool),
        (True, int),
        (True, float),
        ("x", float),
        (1, Path),
        ("c", Literal["a", "b"]),
        (["a", 1], tuple[str, ...]),
    ],
)
def test_values_of_another_type_are_refused(value, kind):
    with pytest.raises(ValueError):
        converted(value, kind)


def test_options_are_read_for_any_dataclass(write):
    @dataclass
    class Any:
        some_name: float = 0.0

    assert read_options(Path(write("some-name: 2")), Any) == {"some_name": 2.0}

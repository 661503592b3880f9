"""Wrong names and missing files are refused before data are read; the names are those of the tables."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import tyro

from campro.attacks.attack_options import ATTACK_OPTIONS
from campro.cameras.camera_table import CAMERAS
from campro.cli import attack, audit, calibrate, capture, choices, compare, deploy, design
from campro.cli.choices import CHOICES, FREE_TEXT, INPUTS, OUTPUTS, POSITIONAL, check_choices
from campro.cli.help_page import help_page
from campro.cli.main import COMMANDS, QUICK
from campro.core.errors import CamproError
from campro.design.attackers import ATTACKERS
from campro.design.start import EXTRAS
from campro.evaluation.matchers import MATCHERS
from campro.isp import BUILTIN_PROFILES
from campro.models.captions import CAPTIONERS
from campro.models.faces import FACE_DETECTORS, FACE_EMBEDDERS
from campro.models.model_table import MODELS
from campro.models.persons import PERSON_DETECTORS
from campro.models.poses import POSE_ESTIMATORS
from campro.models.poses.pose_estimators import POSE_FILES


def test_names_are_those_of_the_tables():
    assert {name.partition("/")[0] for name in MODELS} == {
        *FACE_EMBEDDERS,
        *FACE_DETECTORS,
        *POSE_ESTIMATORS,
        *POSE_FILES,
        *CAPTIONERS,
        *(name.partition("/")[0] for name in PERSON_DETECTORS),
    }
    persons = {name for name, entry in MODELS.items() if entry.kind == "person detector"}
    assert {name.replace("onnx/PERSON_CARD.json", "onnx") for name in persons} == set(PERSON_DETECTORS)
    assert {name.partition("/")[0] for name in CHOICES["face_models"]} == set(FACE_EMBEDDERS)
    assert {name.partition("/")[0] for name in CHOICES["landmarks"]} == set(FACE_DETECTORS)
    assert set(CHOICES["matchers"]) == set(MATCHERS)
    assert set(CHOICES["attackers"]) == set(ATTACKERS)
    assert choices.PROFILES == BUILTIN_PROFILES
    assert tuple(CAMERAS) == choices.CAMERAS
    assert tuple(EXTRAS) == choices.ISP_PARAMETERS


def leaves(kind):
    """The plain types of an option: those of `tuple[Path, ...] | None` are Path and NoneType."""
    if get_origin(kind) is Annotated:
        return leaves(get_args(kind)[0])
    if get_origin(kind) in (tuple, Union, UnionType):
        return {leaf for inner in get_args(kind) if inner is not Ellipsis for leaf in leaves(inner)}
    return {Literal} if get_origin(kind) is Literal else {kind}


OPTIONS = [
    (command, field, get_type_hints(import_module(f"campro.cli.{command}").Config, include_extras=True)[field.name])
    for command in COMMANDS
    for field in fields(import_module(f"campro.cli.{command}").Config)
]


@pytest.mark.parametrize(("command", "field", "kind"), OPTIONS, ids=lambda value: getattr(value, "name", str(value)))
def test_every_option_is_checked(command, field, kind):
    """Texts are names of CHOICES, a Literal, or declared as free; paths are declared as input or output."""
    kinds = leaves(kind) - {NoneType, bool, int, float, Literal}
    assert kinds <= {str, Path}
    if Path in kinds:
        assert field.name in INPUTS | OUTPUTS | set(CHOICES)
    elif kinds:
        assert field.name in set(CHOICES) | FREE_TEXT | INPUTS
    positional = any(mark is tyro.conf.Positional for mark in get_args(kind)[1:]) if get_args(kind) else False
    if field.name in INPUTS:
        assert positional == (field.name in POSITIONAL)


AUDITED = {"scenes": ("--faces", ".", "--adapt-steps", "0")} | dict.fromkeys(
    ("train_scenes", "train_faces", "photos"), ("--faces", ".")
)
TOGETHER = {
    ("design", "faces"): ("--scenes", "."),
    ("design", "scenes"): ("--faces", "."),
    **{(command, option): words for command in ("audit", "attack") for option, words in AUDITED.items()},
}
"""What must be given beside an option."""


def words_of(command, option):
    """A call of the command in which one option is wrong, all other required ones are harmless."""
    module = import_module(f"campro.cli.{command}")
    words = [command, *TOGETHER.get((command, option), ())]
    for field in fields(module.Config):
        name = "nope" if field.name == option else "."
        if field.name in POSITIONAL and (field.name == option or field.default is MISSING):
            words.append(name)
        elif field.name == option or field.default is MISSING:
            words += [
                f"--{field.name.replace('_', '-')}",
                "software" if name == "." and field.name == "target" else name,
            ]
    return words


def test_wrong_names_are_refused_before_anything_heavy_is_imported(tmp_path):
    """All options of all commands, in one process that never imports PyTorch."""
    cases = [(c, field.name) for c, field, _ in OPTIONS if field.name in set(CHOICES) | INPUTS]
    code = (
        "import json, sys\nfrom campro.cli.main import main\n"
        "for words in json.loads(sys.argv[1]):\n    print(words, main(words), file=sys.stderr)\n"
        "heavy = [name for name in ('torch', 'numba', 'cv2', 'lightning_fabric') if name in sys.modules]\n"
        "print(json.dumps(heavy))"
    )
    calls = json.dumps([words_of(command, option) for command, option in cases])
    done = subprocess.run(
        [sys.executable, "-c", code, calls], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    lines = done.stderr.splitlines()
    assert done.stdout == "[]\n", done.stderr
    assert len(lines) == 2 * len(cases)
    for (command, option), line, call in zip(cases, lines[::2], lines[1::2], strict=True):
        name = option.upper() if option in POSITIONAL else f"--{option.replace('_', '-')}"
        assert line.startswith(f"campro {command}: {name}: expected "), line
        assert "nope" in line and call.endswith(" 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_long_commands_print_a_line_before_pytorch_is_imported(tmp_path):
    code = (
        "import json, sys\nfrom campro.cli.main import main\nfrom campro.core.errors import CamproError\n"
        "class Stop:\n    def find_spec(self, name, *_):\n"
        "        if name in ('torch', 'numba', 'cv2', 'onnxruntime'):\n"
        "            raise CamproError('import', 'nothing heavy', name)\n"
        "sys.meta_path.insert(0, Stop())\n"
        "for words in json.loads(sys.argv[1]):\n    main(words)"
    )
    commands = [command for command in COMMANDS if command not in QUICK]
    (tmp_path / "runs" / "audit").mkdir(parents=True)  # the default of `report`
    calls = json.dumps([words_of(command, "") for command in commands])
    call = [sys.executable, "-c", code, calls]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    expected = [f"{command}: load libraries" for command in commands]
    assert [line for line in done.stderr.splitlines() if line.endswith(" libraries")] == expected
    assert done.stderr.count("nothing heavy") == len(expected)


@pytest.mark.parametrize(
    "config",
    [
        audit.Config(attacks=("several probe images, colour maps", "colour-maps", "none")),  # also as in a report
        audit.Config(baselines=("invert", "raw"), enhancer="none", face_models=("frbench/irse-50_arcface_ms1m",)),
        design.Config(isp=("bits=5", "offsets", "defocus=1.5"), start="plain", target="rpi-pisp"),
        design.Config(start="negative", attackers=("ridge", "filters")),
        capture.Config("rtsp://camera/stream", Path("x.mkv")),
        capture.Config(
            "/dev/video0", Path("x.mkv"), profile=str(Path(choices.__file__).parents[1] / "isp/profiles/negative.json")
        ),
        calibrate.Config(Path(), Path(), Path("x"), detector=""),
        compare.Config((Path(), Path("/"))),
        deploy.Config(Path("x"), "software"),
        deploy.Config(Path("x")),
    ],
    ids=lambda config: type(config).__module__,
)
def test_right_names_are_accepted(config):
    check_choices(config)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (design.Config(isp=("bits=x",)), "--isp.*bits=x"),
        (design.Config(isp=("bits=nan",)), "--isp.*bits=nan"),
        (audit.Config(face_models=("onnx",)), "--face-models.*onnx/CARD.json"),
        (audit.Config(face_models=("onnx/absent.json",)), "--face-models.*absent"),
        (audit.Config(detector="torchvision/nope"), "--detector"),
        (audit.Config(landmarks="yunet/absent.onnx"), "--landmarks"),
        (audit.Config(profile="campro-defualt"), "did you mean campro-default"),
    ],
)
def test_members_files_and_values_are_checked(config, message):
    with pytest.raises(CamproError, match=message):
        check_choices(config)


@pytest.mark.parametrize("config", [audit.Config, attack.Config])
def test_every_attack_is_in_the_help(config):
    page = " ".join(help_page("audit", config).split())
    assert all(name in page for name in ATTACK_OPTIONS)

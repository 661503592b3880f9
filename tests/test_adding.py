"""Carries out the recipes of docs/adding.md on a copy of the source tree, and runs the contract tests on the result."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "adding.md"
FENCE = re.compile(r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<body>.*?)^```$', re.MULTILINE | re.DOTALL)

ADDED = {
    "patch-colours": "test_face_recogniser",
    "centre-face": "test_face_detector",
    "mean-colour": "test_contract",
    "middle-pose": "test_pose_estimator",
    "median-filter": "test_attack",
    "flipping": "test_attacker_of_the_design_game",
    "saturation": "test_isp_block",
    "pale": "test_built_in_profile",
    "toy-camera": "test_every_camera_is_described",
    "colour-mix": "test_enhancer_exports",
    "fingerprint": "test_command",
}
"""Name of each addition, and one test that must have run for it."""


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """(kind, title, body) of every fenced block."""
    for found in FENCE.finditer(page):
        yield found["kind"], found["title"] or "", found["body"]


def apply_edit(text: str, edit: str) -> str:
    """Apply the parts of a diff, each at the one place where its old lines are.

    >>> apply_edit("a\\nb\\nc\\n", "@@\\n a\\n-b\\n+x\\n+y\\n")
    'a\\nx\\ny\\nc\\n'
    """
    for part in re.split(r"^@@\n", edit, flags=re.MULTILINE)[1:]:
        lines = [(line[:1], line[1:] + "\n") for line in part.splitlines()]
        old = "".join(line for mark, line in lines if mark != "+")
        new = "".join(line for mark, line in lines if mark != "-")
        places = [
            found.start() for found in re.finditer(re.escape(old), text) if text[: found.start()][-1:] in ("", "\n")
        ]
        assert len(places) == 1, f"{len(places)} places with\n{old}"
        text = text[: places[0]] + new + text[places[0] + len(old) :]
    return text


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the source tree to which the page has been applied."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in ("src", "tests"):  # with the compiled code in __pycache__, which is valid for the same files
        shutil.copytree(ROOT / folder, tree / folder)
    shutil.copy(ROOT / "pyproject.toml", tree)
    for kind, title, body in blocks(PAGE.read_text(encoding="utf-8")):
        file = tree / title
        if kind == "diff":
            file.write_text(apply_edit(file.read_text(encoding="utf-8"), body), encoding="utf-8")
        elif title:
            assert not file.exists(), title
            file.write_text(body, encoding="utf-8")
    return tree


PARTS = """
import json, sys, traceback
import pytest
from campro.cli.main import main

def contracts(tests, chosen):
    return pytest.main(["-p", "no:cacheprovider", "-vv", *tests, "-k", chosen])

def examples(files):
    return pytest.main(["-p", "no:cacheprovider", "-q", "--doctest-modules", *files])

def command(words):
    return main(words.split())

def identification(folder):  # from photographs to comparison scores: what `campro audit` does with them
    from pathlib import Path
    from campro.core.images import write_image
    from campro.data.facemodel import FaceModel
    from campro.models.faces import embed_photos, find_landmarks, load_embedder, load_face_detector
    from campro.isp import RAW

    folder, photos = Path(folder), []
    for person, pictures in enumerate(FaceModel.load().sample(4, 2, seed=3)):
        for number, picture in enumerate(pictures):
            photos.append(folder / f"{person}-{number}.png")
            write_image(photos[-1], picture)
    landmarks = find_landmarks(photos, load_face_detector("centre-face"), folder / "cache")
    embeddings = embed_photos(load_embedder("patch-colours"), photos, landmarks, RAW)
    scores = embeddings[0::2] @ embeddings[1::2].T
    mated = scores.diagonal().mean()
    print("difference", float(mated - (scores.sum() - scores.trace()) / 12))
    return 0

for name, given in json.loads(sys.argv[1]):
    print(f"\\n== {name}", flush=True)
    try:
        code = globals()[name](*given)
    except SystemExit as end:  # --help
        code = end.code or 0
    except Exception:
        traceback.print_exc(file=sys.stdout)
        code = 99
    print(f"\\n== {name} ends with {int(code)}", flush=True)
"""
"""Runs the parts of the page in one process: each start of PyTorch costs seconds."""


class Part(NamedTuple):
    """What a part of the page printed, and its exit status."""

    output: str
    code: int


@pytest.fixture(scope="module")
def parts(tree: Path) -> dict[str, list[Part]]:
    """Each part of the page, executed in the copy of the source tree."""
    page = list(blocks(PAGE.read_text(encoding="utf-8")))
    tests = ("tests/test_contracts.py", "tests/cameras", "tests/models/persons/test_person_detectors.py")
    consoles = (body for kind, _, body in page if kind == "console")
    commands = [line.removeprefix("$ campro ") for body in consoles for line in body.splitlines()]
    assert commands
    work = [
        ("contracts", (tests, " or ".join(f"[{name}" for name in ADDED))),
        ("examples", ([title for _, title, _ in page if title.endswith(".py")],)),
        *(("command", (words,)) for words in commands),
        ("identification", (str(tree / "photos"),)),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(tree / "src")}
    call = [sys.executable, "-c", PARTS, json.dumps(work)]
    done = subprocess.run(call, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    found: dict[str, list[Part]] = {name: [] for name, _ in work}
    for ended in re.finditer(r"^== (\w+)$(.*?)^== \1 ends with (\d+)$", done.stdout, re.MULTILINE | re.DOTALL):
        found[ended[1]].append(Part(ended[2], int(ended[3])))
    assert sum(map(len, found.values())) == len(work), done.stderr
    return found


def test_edits_are_applied_where_they_belong() -> None:
    assert apply_edit("a\nb\nc\n", "@@\n a\n-b\n+x\n+y\n@@\n c\n+d\n") == "a\nx\ny\nc\nd\n"
    assert apply_edit("a\n", "@@\n+class B\n a\n") == "class B\na\n"
    with pytest.raises(AssertionError, match="2 places"):
        apply_edit("a\na\n", "@@\n a\n+b\n")


def test_the_page_has_a_recipe_for_every_table() -> None:
    """Every link of the page's table leads to a section with code."""
    page = PAGE.read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", FENCE.sub("```", page), re.MULTILINE)
    links = re.findall(r"\(#([a-z-]+)\)", page)
    assert links == [title.lower().replace(" ", "-") for title in sections]
    assert all("```" in part for part in re.split(r"^## ", FENCE.sub("```", page), flags=re.MULTILINE)[1:])


@pytest.mark.slow
def test_the_additions_keep_the_contracts(parts) -> None:
    (part,) = parts["contracts"]
    assert part.code == 0, part.output[-5000:]
    for name, test in ADDED.items():
        assert re.search(rf"{test}\[{name}[^\n]*PASSED", part.output), f"{test} did not run for {name}"


@pytest.mark.slow
def test_the_new_files_are_typed_and_their_examples_are_true(tree, parts) -> None:
    (part,) = parts["examples"]
    assert part.code == 0, part.output[-3000:]
    new = [title for kind, title, _ in blocks(PAGE.read_text(encoding="utf-8")) if kind == "python"]
    if shutil.which("ruff", path=str(Path(sys.executable).parent)):
        checked = subprocess.run([Path(sys.executable).with_name("ruff"), "check", *new], cwd=tree, capture_output=True)
        assert checked.returncode == 0, checked.stdout.decode()


@pytest.mark.slow
def test_the_commands_of_the_page_run(tree, parts) -> None:
    for part in parts["command"]:
        assert part.code == 0, part.output
    assert (tree / "toy" / "toy.json").is_file()


@pytest.mark.slow
def test_the_new_recogniser_and_detector_work_together(parts) -> None:
    (part,) = parts["identification"]
    assert part.code == 0, part.output
    assert float(part.output.split("difference")[1]) > 0.01  # mated comparisons score higher

"""Carries out the recipes of docs/adding.md on a copy of the source tree, and runs the contract tests on the result."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "adding.md"
FENCE = re.compile(r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<body>.*?)^```$', re.MULTILINE | re.DOTALL)

ADDED = {
    "patch-colours": "test_face_recogniser",
    "centre-face": "test_face_detector",
    "mean-colour": "test_contract",
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


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A Python module, in the copy."""
    paths = {"PYTHONPATH": str(tree / "src"), "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "")}
    environment = {**os.environ, **{name: value for name, value in paths.items() if value}}
    return subprocess.run([sys.executable, "-m", *command], cwd=tree, env=environment, capture_output=True, text=True)


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
def test_the_additions_keep_the_contracts(tree) -> None:
    chosen = " or ".join(f"[{name}" for name in ADDED)
    tests = ("tests/test_contracts.py", "tests/cameras", "tests/models/persons/test_person_detectors.py")
    done = run(tree, "pytest", "-p", "no:cacheprovider", "-vv", *tests, "-k", chosen)
    assert done.returncode == 0, done.stdout[-5000:]
    for name, test in ADDED.items():
        assert re.search(rf"{test}\[{name}[^\n]*PASSED", done.stdout), f"{test} did not run for {name}"


@pytest.mark.slow
def test_the_new_files_are_typed_and_their_examples_are_true(tree) -> None:
    files = [title for kind, title, _ in blocks(PAGE.read_text(encoding="utf-8")) if title.endswith(".py")]
    done = run(tree, "pytest", "-p", "no:cacheprovider", "--doctest-modules", *files)
    assert done.returncode == 0, done.stdout[-3000:]
    new = [title for kind, title, _ in blocks(PAGE.read_text(encoding="utf-8")) if kind == "python"]
    if shutil.which("ruff", path=str(Path(sys.executable).parent)):
        checked = subprocess.run([Path(sys.executable).with_name("ruff"), "check", *new], cwd=tree, capture_output=True)
        assert checked.returncode == 0, checked.stdout.decode()


@pytest.mark.slow
def test_the_commands_of_the_page_run(tree) -> None:
    consoles = (body for kind, _, body in blocks(PAGE.read_text(encoding="utf-8")) if kind == "console")
    commands = [line.removeprefix("$ campro ") for body in consoles for line in body.splitlines()]
    assert commands
    for command in commands:
        done = run(tree, "campro.cli.main", *command.split())
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert (tree / "toy" / "toy.json").is_file()


@pytest.mark.slow
def test_the_new_recogniser_and_detector_work_together(tree) -> None:
    """From photographs to comparison scores: what `campro audit` does with them."""
    code = """
from pathlib import Path
import sys
from campro.core.images import write_image
from campro.data.facemodel import FaceModel
from campro.models.faces import embed_photos, find_landmarks, load_embedder, load_face_detector
from campro.isp import RAW

folder, photos = Path(sys.argv[1]), []
for person, pictures in enumerate(FaceModel.load().sample(4, 2, seed=3)):
    for number, picture in enumerate(pictures):
        photos.append(folder / f"{person}-{number}.png")
        write_image(photos[-1], picture)
landmarks = find_landmarks(photos, load_face_detector("centre-face"), folder / "cache")
embeddings = embed_photos(load_embedder("patch-colours"), photos, landmarks, RAW)
scores = embeddings[0::2] @ embeddings[1::2].T
mated = scores.diagonal().mean()
print(float(mated - (scores.sum() - scores.trace()) / 12))
"""
    (tree / "identify.py").write_text(code)
    done = run(tree, "identify", str(tree / "photos"))
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0.01  # mated comparisons score higher

"""Pages: line length, links, and commands that exist."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import pytest

from campro.attacks.attack_options import ATTACK_GROUPS, ATTACK_OPTIONS
from campro.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("src/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("examples/*.md"),
    ]
)
CURRENT = [page for page in PAGES if "decisions" not in page.parts and page.name != "CHANGELOG.md"]
"""Without decision records and the changelog, which name commands and options of the past."""
DESCRIBING = [page for page in CURRENT if page.name != "adding.md"]
"""Without the page whose files are yet to be written."""
COMMON = {"--help", "--config", "--quiet"}


def names(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


def commands_of(text: str) -> list[list[str]]:
    """The `campro ...` calls in fences and inline code, as words; continued lines are joined."""
    fences = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.M | re.S)
    lines = [line for fence in fences for line in fence.replace("\\\n", " ").splitlines()]
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", rest)]
    lines = [part.strip() for line in lines for part in re.split(r"  +#|;", line)]
    return [shlex.split(line) for line in lines if re.match(r"campro [a-z]", line)]


def anchors_of(text: str) -> set[str]:
    """Anchors of the headings of a page, as MkDocs and GitHub form them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_lines_have_at_most_120_characters(page: Path) -> None:
    lines = enumerate(page.read_text("utf-8").splitlines(), 1)
    long = [number for number, line in lines if len(line) > 120 and not line.startswith("|") and "://" not in line]
    assert not long, f"lines {long} are longer than 120 characters"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors_of(file.read_text("utf-8")), f"{target}: no such heading"


@pytest.mark.parametrize("page", CURRENT, ids=names(CURRENT))
def test_commands_and_options_exist(page: Path) -> None:
    for words in commands_of(page.read_text("utf-8")):
        command = words[1]
        assert command in COMMANDS, f"campro {command} does not exist"
        config = import_module(f"campro.cli.{command}").Config
        known = {"--" + field.name.replace("_", "-") for field in fields(config)} | COMMON
        unknown = {word.split("=")[0] for word in words if word.startswith("--")} - known
        assert not unknown, f"campro {command} has no {', '.join(sorted(unknown))}"
        if "--attacks" in words:
            chosen = takewhile(lambda word: not word.startswith("--"), words[words.index("--attacks") + 1 :])
            assert set(chosen) <= {*ATTACK_OPTIONS, *ATTACK_GROUPS}


@pytest.mark.parametrize("page", DESCRIBING, ids=names(DESCRIBING))
def test_files_of_the_source_exist(page: Path) -> None:
    """Every `folder/name.py` of a page is a file of the package or of the repository."""
    mentioned = set(re.findall(r"(?<![\w/$.])((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)\b", page.read_text("utf-8")))
    homes = (ROOT, ROOT / "src" / "campro")
    missing = sorted(name for name in mentioned if not any((home / name).is_file() for home in homes))
    assert not missing, f"{', '.join(missing)} not found"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_tests_that_a_page_names_exist(page: Path) -> None:
    for file, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text("utf-8")):
        assert (ROOT / file).is_file(), f"{file} not found"
        assert not test or f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{file} has no {test}"


def test_the_checks_find_what_they_look_for() -> None:
    text = "# A b\n\n```\ncampro audit --x \\\n  --y 1   # why\n```\n\nAlso `campro models` and `make`.\n"
    assert commands_of(text) == [["campro", "audit", "--x", "--y", "1"], ["campro", "models"]]
    assert anchors_of(text) == {"a-b"}

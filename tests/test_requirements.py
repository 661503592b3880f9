"""The lower bounds of pyproject.toml are the versions of requirements/lowest.txt, with which CI runs the fast tests."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = {"torch", "torchvision"}
"""Not installed twice: see the head of lowest.txt."""
NOT_TESTED = {
    *("pytest-cov", "pytest-xdist", "ruff", "mypy", "campro"),  # not used by the fast tests
    *("starlette", "uvicorn", "httpx", "playwright"),
    *("ray", "frbench", "transformers", "ultralytics", "openTSNE", "ai-edge-litert"),  # extras without fast tests
    *("mkdocs-material", "mkdocstrings"),
}


def lower_bounds() -> dict[str, str]:
    """Name to lower bound of every requirement, extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = chain(project["dependencies"], *project["optional-dependencies"].values())
    parsed = (re.fullmatch(r"([\w-]+)(?:\[[\w,]+\])?(?:>=([\w.]+))?", line) for line in lines)
    return {found[1]: found[2] for found in parsed if found is not None}


def test_lower_bounds_are_those_that_are_tested():
    text = (ROOT / "requirements" / "lowest.txt").read_text()
    tested = dict(re.findall(r"^([\w-]+)==([\w.]+)$", text, re.M))
    bounds = {name: bound for name, bound in lower_bounds().items() if name not in NOT_TESTED}
    assert set(tested) == set(bounds)

    def numbers(version):
        return [int(part) for part in (*version.split("."), "0", "0")[:3]]

    wrong = {
        name: (bounds[name], tested[name])
        for name in set(bounds) - SHARED
        if numbers(bounds[name])[:2] != numbers(tested[name])[:2]
    }
    assert not wrong

"""The layers of docs/tour.md, enforced: a part imports only from parts below it, never from its neighbours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

LAYERS = (
    "core",
    "metrics",
    "isp data models training",
    "evaluation inversion",
    "enhance cameras",
    "design attacks deploy",
    "audit",
    "report",
    "cli",
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts.split()}
ROOT = Path(__file__).parents[1] / "src" / "campro"


def imported_parts(source: str) -> Iterator[str]:
    """The parts of campro that a module imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        parts = (name.split(".")[1] for name in names if name.startswith("campro."))
        yield from (part for part in parts if part != "__version__")


def test_every_part_imports_only_from_below() -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports {part}"
        for file in sorted(ROOT.glob("*/**/*.py"))
        for part in imported_parts(file.read_text())
        if part != (me := file.relative_to(ROOT).parts[0]) and RANK[part] >= RANK[me]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_check_sees_nested_and_plain_imports() -> None:
    source = "import campro.core.types\ndef f():\n    from campro.audit import report\n"
    assert list(imported_parts(source)) == ["core", "audit"]

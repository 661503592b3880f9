"""The import rules of the source tree: layers, no import cycles, and file names that occur once."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

LAYERS = (
    "core",
    "metrics",
    "training",
    "isp data models",
    "evaluation inversion",
    "enhance cameras",
    "design attacks deploy stream",
    "audit search",
    "report",
    "paper",
    "serve",
    "cli",
)
"""Folders of src/campro from the lowest layer to the highest. A folder imports only from lower layers and itself."""

RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts.split()}
SRC = Path(__file__).parents[1] / "src"
ROOT = SRC / "campro"

Graph = Mapping[str, frozenset[str]]
"""Each module's name and the modules of campro that it imports, also under TYPE_CHECKING and inside functions."""


def imported_names(source: str) -> Iterator[str]:
    """Full names that a module imports anywhere: `from a.b import c` gives `a.b.c`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def module_name(file: Path) -> str:
    """`src/campro/isp/raw.py` is `campro.isp.raw`; a package is named without `__init__`."""
    parts = file.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def owner(name: str, modules: Mapping[str, str]) -> str:
    """The longest prefix of an imported name that is a module; empty for names of other libraries."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def import_graph(modules: Mapping[str, str]) -> Graph:
    """The graph of modules, from the source text of each."""
    found = {me: {owner(name, modules) for name in imported_names(text)} for me, text in modules.items()}
    return {me: frozenset(imports - {me, ""}) for me, imports in found.items()}


def cycle(graph: Graph) -> list[str]:
    """One import cycle, first and last module the same; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def upward_imports(graph: Graph) -> list[str]:
    """Imports of a folder's own layer or a higher one, as text."""
    edges = ((me, other, me.split(".")[1], other.split(".")[1]) for me in graph for other in graph[me])
    return sorted(f"{me} imports {to}" for me, to, mine, part in edges if mine != part and RANK[part] >= RANK[mine])


FILES = sorted(ROOT.glob("*/**/*.py"))
"""All modules but `campro/__init__.py`, which imports nothing before its names are used."""


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The import graph of the source tree."""
    return import_graph({module_name(file): file.read_text(encoding="utf-8") for file in FILES})


def test_every_folder_has_a_layer() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in FILES} == RANK.keys()


def test_every_folder_imports_only_from_lower_layers(graph) -> None:
    wrong = upward_imports(graph)
    assert not wrong, "\n".join(wrong)


def test_no_two_modules_import_each_other(graph) -> None:
    mutual = sorted(f"{me} <-> {other}" for me in graph for other in graph[me] if me in graph[other])
    assert not mutual, "\n".join(mutual)


def test_no_import_cycle(graph) -> None:
    found = cycle(graph)
    assert not found, " -> ".join(found)


def test_file_names_occur_once() -> None:
    """Free are `__init__.py` and the modules of cli, which are named after commands."""
    files = [file for file in FILES if file.name != "__init__.py" and file.parent.name != "cli"]
    twice = {name for name, count in Counter(file.name for file in files).items() if count > 1}
    assert not twice, f"names that occur twice: {sorted(twice)}"


def test_the_checks_find_what_they_look_for() -> None:
    """Nested, plain and type-only imports count, and cycles of two and three modules are found."""
    source = "import campro.a\ndef f():\n    from campro.b import g\nif TYPE_CHECKING:\n    from campro import c\n"
    sources = {"campro.a": "", "campro.b": "from campro.me import x", "campro.c": "", "campro.me": source}
    graph = import_graph(sources)
    assert graph["campro.me"] == {"campro.a", "campro.b", "campro.c"}
    assert set(cycle(graph)) == {"campro.me", "campro.b"}
    assert cycle({"campro.a": frozenset(), "campro.b": frozenset({"campro.a"})}) == []
    three = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"a"})}
    assert cycle(three) in (["a", "b", "c", "a"], ["b", "c", "a", "b"], ["c", "a", "b", "c"])

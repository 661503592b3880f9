"""The reports below a folder: what the Results tab lists and opens, and nothing else of that folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPORT, FIGURES = "report.html", "report.json"
MAX_REPORTS = 200
MAX_DEPTH = 6
"""Levels of folders below the first that are searched."""
MAX_BYTES = 64 << 20
"""Largest report that is opened."""


@dataclass(frozen=True)
class FoundReport:
    """A report and its headline."""

    place: str
    """Folder of the report, relative to the folder that is listed; "." for that one itself."""
    profile: str
    worst_case: str
    """Rank-1 rate of the worst attack in %; empty if none ran or the figures cannot be read."""
    person_detection: str
    """AP in % of the raw AP; empty if it was not measured."""
    synthetic: bool


def find_reports(folder: Path) -> list[FoundReport]:
    """Reports below `folder`, sorted by path, at most `MAX_REPORTS`; links to elsewhere are not followed."""
    found = []
    for path in _report_files(folder):
        found.append(_headline(path.parent, path.parent.relative_to(folder).as_posix()))
        if len(found) == MAX_REPORTS:
            break
    return found


def report_path(folder: Path, place: str) -> Path | None:
    """The report.html in the folder `place` below `folder`; None for anything that `find_reports` would not list."""
    root = folder.resolve()
    try:
        path = (root / place / REPORT).resolve()
        inside = path.is_relative_to(root) and path.name == REPORT and path.is_file()
    except (OSError, ValueError):  # no file can have this name, or a loop of links
        return None
    hidden = inside and any(part.startswith(".") for part in path.relative_to(root).parts)
    return path if inside and not hidden and path.stat().st_size <= MAX_BYTES else None


def _report_files(folder: Path) -> Iterator[Path]:
    root = folder.resolve()
    for place, folders, names in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < MAX_DEPTH else []
        path = Path(place) / REPORT
        if REPORT in names and path.resolve().is_relative_to(root):
            yield path


def _headline(folder: Path, place: str) -> FoundReport:
    """The headline in report.json; a damaged file gives gaps."""
    try:
        head: dict[str, Any] = json.loads((folder / FIGURES).read_text("utf-8"))["headline"]
        case, kept = head["worst_case"], head["ap_kept"]
        rate = "" if case is None else f"{100 * case['rank1']['mean']:.1f} ({case['attack']}, {case['threat_model']})"
        if case is not None and case.get("density"):
            rate += f" at {case['density']:g} px/m"
        detection = "" if kept is None else f"{100 * min(kept, 1):.0f}"
        return FoundReport(place, str(head["profile"]), rate, detection, bool(head["synthetic"]))
    except (OSError, ValueError, LookupError, TypeError):
        return FoundReport(place, folder.name, "", "", False)

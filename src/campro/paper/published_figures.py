"""The numbers of the paper as data: published.json. A number that is not recorded is null there, and a dash here."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from campro.core.errors import CamproError


def published(item: str, row: str, figure: str) -> float | None:
    """The published number in the unit of the page, None where it is not recorded.

    Args:
        item: name of a table or figure, such as "table-3".
        row: row of it, such as "captured".
        figure: column of it, such as "AP kept".

    >>> published("fig-4", "threshold", "cosine")
    0.409
    """
    return figures_of(item).get(row, {}).get(figure)


@cache
def figures_of(item: str) -> dict[str, dict[str, float | None]]:
    """All recorded numbers of an item: figure to number by row; empty where there are none.

    Raises:
        CamproError: for a number without a source.
    """
    document = json.loads((files("campro.paper") / "published.json").read_text("utf-8"))
    rows: dict[str, dict[str, float | None]] = {}
    for row, numbers in document["items"].get(item, {}).items():
        for figure, entry in numbers.items():
            if entry is not None and not entry.get("source"):
                raise CamproError("published.json", "a source for each number", f"none for {item}, {row}, {figure}")
            rows.setdefault(row, {})[figure] = None if entry is None else float(entry["value"])
    return rows

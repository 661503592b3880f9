"""Shared by `campro models` and `campro data`: the table of assets, and the download."""

from __future__ import annotations

import dataclasses
import json
import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from campro.core.catalogue import ASSETS, asset, find_asset
from campro.core.errors import CamproError
from campro.core.fetch import fetch
from campro.core.progress import Progress


def list_assets(kind: str, as_json: bool) -> None:
    """Print the assets of one kind, as a table or as JSON with every field."""
    entries = [entry for entry in ASSETS.values() if entry.kind == kind]
    if as_json:
        rows = [dataclasses.asdict(entry) | {"here": str(find_asset(entry) or "") or None} for entry in entries]
        print(json.dumps(rows, indent=1))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("name", overflow="fold")
    for column in ("licence", "size", "sha256"):
        table.add_column(column, no_wrap=True)
    table.add_column("source", overflow="fold")
    table.add_column("here", no_wrap=True)
    for entry in entries:
        here = "yes" if find_asset(entry) else "fetch" if entry.url else "no"
        table.add_row(entry.name, entry.licence, _size(entry.size), (entry.sha256 or "-")[:12], entry.source, here)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def fetch_asset(kind: str, name: str, sha256: str) -> None:
    """Download one asset with a progress bar and print its path.

    Raises:
        CamproError: If the name is not an asset of this kind, or the download fails.
    """
    names = [entry.name for entry in ASSETS.values() if entry.kind == kind]
    if name not in names:
        raise CamproError("fetch", "one of " + ", ".join(names), repr(name))
    with Progress(f"fetch {name}", total=asset(name).size) as progress:
        path = fetch(name, progress.reach, sha256 or None)
    print(path)


def _size(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.1f} MB"

"""What `campro models` and `campro data` share: the table of assets and the download."""

from __future__ import annotations

import dataclasses
import json

from rich.console import Console
from rich.table import Table

from campro.core.catalogue import ASSETS, asset, find
from campro.core.errors import CamproError
from campro.core.fetch import fetch
from campro.core.progress import Progress


def list_assets(kind: str, as_json: bool) -> None:
    """Print the assets of one kind, as a table or as JSON with every field."""
    entries = [entry for entry in ASSETS.values() if entry.kind == kind]
    if as_json:
        rows = [dataclasses.asdict(entry) | {"here": str(find(entry) or "") or None} for entry in entries]
        print(json.dumps(rows, indent=1))
        return
    table = Table("name", "licence", "size", "sha256", "source", "here")
    table.columns[0].no_wrap = table.columns[3].no_wrap = True
    for entry in entries:
        here = "yes" if find(entry) else "fetch" if entry.url else "no"
        table.add_row(entry.name, entry.licence, _size(entry.size), (entry.sha256 or "-")[:12], entry.source, here)
    console = Console()
    console.print(table, width=None if console.is_terminal else 150)


def fetch_asset(kind: str, name: str, sha256: str) -> None:
    """Download one asset with a progress bar and print where it lies."""
    names = [entry.name for entry in ASSETS.values() if entry.kind == kind]
    if name not in names:
        raise CamproError("fetch", "one of " + ", ".join(names), repr(name))
    with Progress(f"fetch {name}", total=asset(name).size) as progress:
        path = fetch(name, progress.reach, sha256 or None)
    print(path)


def _size(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.1f} MB"

"""Shared by `campro models` and `campro data`: tables on the terminal, and the download."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from campro.core.catalogue import asset
from campro.core.errors import CamproError
from campro.core.fetch import fetch
from campro.core.progress import Progress


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below a title; the first column is never cut."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for i, column in enumerate(header):
        table.add_column(column, no_wrap=i == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def fetch_asset(name: str) -> None:
    """Download one asset with a progress bar and print its path.

    Raises:
        CamproError: If the download fails.
    """
    with Progress(f"fetch {name}", total=asset(name).size) as progress:
        path = fetch(name, progress.reach)
    print(path)


def check_fetched(action: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Check the names behind `fetch`.

    Raises:
        CamproError: If there are none, or an unknown one, or names without `fetch`.
    """
    if action == "list" and names:
        raise CamproError("list", "no names", " ".join(names), "write `fetch` to download")
    for name in names or ([""] if action == "fetch" else []):
        if name not in known:
            raise CamproError("fetch", "one of " + ", ".join(known), repr(name))


def size_text(size: int | None) -> str:
    """A number of bytes in MB."""
    return "-" if size is None else f"{size / 1e6:.1f} MB"

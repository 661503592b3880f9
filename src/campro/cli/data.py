"""`campro data`: list the data sets of the project's figures, and where they are looked for."""

from __future__ import annotations

from dataclasses import dataclass

EXAMPLE = "campro data"


@dataclass(frozen=True)
class Config:
    """List the data sets of the project's figures. None is needed: `--faces` and `--scenes` take your own."""

    json: bool = False
    """Print the list as JSON, with paths."""


def run(config: Config) -> None:
    """List the data sets of the catalogue."""
    import dataclasses
    import json

    from campro.cli._assets import print_table, size_text
    from campro.core.catalogue import ASSETS, find_asset

    entries = [entry for entry in ASSETS.values() if entry.kind == "data"]
    if config.json:
        rows = [dataclasses.asdict(entry) | {"here": str(find_asset(entry) or "") or None} for entry in entries]
        print(json.dumps(rows, indent=1))
        return
    header = ("name", "here", "licence", "size", "folder", "source")
    table = []
    for entry in entries:
        here = "yes" if find_asset(entry) else "no"
        table.append(
            (entry.name, here, entry.licence, size_text(entry.size), f"$CAMPRO_DATA/{entry.path}", entry.source)
        )
    print_table("data sets", header, table)
    print(
        "Subsets of the publishers' data sets, which campro does not fetch. Get a data set from its publisher, lay\n"
        "it out as a folder per person (faces) or as COCO JSON files with their images (scenes), and give its path."
    )

"""`campro models`: list the models that options accept, or fetch weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

EXAMPLE = "campro models fetch mobilefacenet yunet yolox-nano"


@dataclass(frozen=True)
class Config:
    """List the models that options accept, or fetch weights: `campro models`, `campro models fetch NAME ...`."""

    action: Annotated[Literal["list", "fetch"], tyro.conf.Positional] = "list"
    """List all, or fetch some."""
    names: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Names of the models to fetch."""
    json: bool = False
    """Print the list as JSON, with full hashes and paths."""


def run(config: Config) -> None:
    """List the models, or fetch their weights.

    Raises:
        CamproError: for an unknown name, or one that has no public address.
    """
    from campro.cli._assets import check_fetched, fetch_asset
    from campro.core.errors import CamproError
    from campro.models.model_table import MODELS

    check_fetched(config.action, config.names, [name for name, entry in MODELS.items() if entry.assets])
    for name in config.names:
        if not MODELS[name].can_be_fetched:
            how = MODELS[name].how_to_get or "it is on this machine already"
            raise CamproError("fetch", "a model with a public address", name, how)
    for name in config.names:
        fetch_asset(MODELS[name].assets[-1])
    if config.action == "list":
        _list(config.json)


def _list(as_json: bool) -> None:
    import json
    import textwrap

    from campro.cli._assets import print_table, size_text
    from campro.core.catalogue import asset
    from campro.models.model_table import MODELS, OPTIONS

    if as_json:
        print(json.dumps(model_rows(), indent=1))
        return
    header = ("name", "here", "licence", "size", "source")
    for kind, options in OPTIONS.items():
        entries = [entry for entry in MODELS.values() if entry.kind == kind]
        rows = []
        for entry in entries:
            size = size_text(asset(entry.assets[-1]).size) if entry.assets else "-"
            here = "yes" if entry.here else "fetch" if entry.can_be_fetched else "no"
            rows.append((entry.name, here, entry.licence, size, entry.source))
        print_table(f"{kind}s: {options}", header, rows)
    for how, names in ways_to_get().items():
        print("\n".join([*textwrap.wrap(f"{', '.join(names)}:", 110), f"  {how}"]))


def model_rows() -> list[dict[str, str | int | None]]:
    """One row for each model, for JSON."""
    from campro.core.catalogue import asset
    from campro.models.model_table import MODELS, OPTIONS

    rows = []
    for entry in MODELS.values():
        file = asset(entry.assets[-1]) if entry.assets else None
        row: dict[str, str | int | None] = {"name": entry.name, "kind": entry.kind, "options": OPTIONS[entry.kind]}
        row |= {"licence": entry.licence, "source": entry.source, "here": entry.here, "path": str(entry.path or "")}
        row |= {} if file is None else {"size": file.size, "sha256": file.sha256, "url": file.url}
        rows.append(row | {"how_to_get": entry.how_to_get})
    return rows


def ways_to_get() -> dict[str, list[str]]:
    """How to get the models that are not here -> their names; one command for those that can be fetched."""
    from campro.models.model_table import MODELS

    ways: dict[str, list[str]] = {}
    missing = [entry for entry in MODELS.values() if not entry.here]
    fetched = [entry.name for entry in missing if entry.can_be_fetched]
    if fetched:
        ways[f"campro models fetch {' '.join(fetched)}"] = fetched
    for entry in missing:
        if not entry.can_be_fetched:
            ways.setdefault(entry.how_to_get, []).append(entry.name)
    return ways

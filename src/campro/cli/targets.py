"""`campro targets`: list the target cameras."""

from __future__ import annotations

import json
from dataclasses import dataclass

EXAMPLE = "campro targets"


@dataclass(frozen=True)
class Config:
    """List the cameras that profiles can be written for, with their limits."""

    json: bool = False
    """Print JSON."""


def run(config: Config) -> None:
    """Print one entry for each camera."""
    from campro.cameras.camera_table import CAMERAS

    rows = [
        {
            "name": target.name,
            "title": target.title,
            "base": target.base,
            "limits": str(target.limits),
            "settable": ", ".join(sorted(target.settable)),
        }
        for target in CAMERAS.values()
    ]
    if config.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['name']:<16}{row['title']}")
        print(f"{'':<16}{row['limits']}" + (f"; needs --base, {row['base']}" if row["base"] else ""))
        print(f"{'':<16}blocks that you set yourself: {row['settable']}")

"""Files of the cache folder with a checksum: a damaged one is reported, and one that cannot be written is left out."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.core.hashing import canonical_json, json_digest

_reported: set[Path] = set()


def read_values(file: Path, kind: str, check: Callable[[Any], bool]) -> dict[str, Any]:
    """Values by name, as `write_values` stored them; empty where there is no file.

    Files of version 0.1 have no checksum and another suffix (`.json` for `.checked.json`). They are accepted if every
    value passes `check`, and the next write gives them a checksum; a changed digit in one of them is not noticed.

    Args:
        file: with the suffix `.checked.json`.
        kind: what the values are, for the error.
        check: whether a value has the right form.

    Raises:
        CamproError: for a damaged file.
    """
    old = file.with_name(file.name.replace(".checked.json", ".json"))
    path = file if file.exists() else old
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text())
        if path is file and json_digest(content["values"]) != content["sha256"]:
            raise ValueError("wrong checksum")
        values: dict[str, Any] = content["values"] if path is file else content
        if not isinstance(values, dict) or not all(map(check, values.values())):
            raise ValueError("values of another form")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, CamproError) as error:
        reason = f"a damaged file ({' '.join(str(error).split())[:80]})"
        raise CamproError(str(path), f"cached {kind}", reason, "delete this file and run again") from error
    return values


def write_values(file: Path, values: dict[str, Any]) -> None:
    """Store plain JSON values by name, with a checksum over all of them; see `unless_read_only`."""
    text = canonical_json(values)
    checksum = hashlib.sha256(text.encode()).hexdigest()  # as `json_digest`
    unless_read_only(file, lambda: atomic_write(file, f'{{"sha256":"{checksum}","values":{text}}}\n'))


def is_finite(value: Any) -> bool:
    """Whether a parsed JSON value is a finite number."""
    return type(value) in (int, float) and abs(value) < math.inf


def unless_read_only(file: Path, write: Callable[[], None]) -> None:
    """Call `write`; if it cannot write, print one line for each folder and go on: results are computed again then."""
    try:
        write()
    except CamproError as error:
        if file.parent not in _reported:
            _reported.add(file.parent)
            print(f"cache: {error}; or set CAMPRO_CACHE to another folder. Nothing is stored now.", file=sys.stderr)

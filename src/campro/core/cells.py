"""Finished results of a run, one JSON line each: key, value, origin, and a checksum of these."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campro.core.atomic_io import append_line, atomic_write
from campro.core.errors import CamproError
from campro.core.hashing import canonical_json, json_digest
from campro.core.provenance import Origin, current_origin
from campro.core.typed_json import as_plain, from_json

Json = Any
"""Plain JSON: None, bool, finite numbers, text, and lists and text-keyed dictionaries of these."""


@dataclass(frozen=True)
class Cell:
    """One finished result."""

    key: dict[str, Json]
    value: Json
    origin: Origin
    """Commit, libraries and machine that made it."""

    def to_line(self) -> str:
        """One line of a cell file."""
        content = {"key": as_plain(self.key), "value": as_plain(self.value), "origin": as_plain(self.origin)}
        return canonical_json(content | {"sha256": json_digest(content)}) + "\n"

    @staticmethod
    def from_line(line: str, place: str) -> Cell:
        """Parse a line that `to_line` wrote.

        Raises:
            CamproError: for a line that is not a cell or whose checksum is wrong; `place` says where it stands.
        """
        try:
            content = json.loads(line)
            checksum = content.pop("sha256")
            if checksum != json_digest(content):
                raise ValueError("wrong checksum")
            key, value = content["key"], content["value"]
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise CamproError(place, "a result with its checksum", f"a damaged line ({error})", "delete it") from error
        return Cell(key, value, from_json(Origin, content.get("origin"), f"{place}, origin"))


class CellFile:
    """All cells of a run; the last line of a key counts.

    A line is appended and flushed to disk when its result is finished. A last line that a kill cut short is dropped
    when the file is opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cells: dict[str, Cell] | None = None

    def get(self, key: Mapping[str, Json]) -> Cell | None:
        """The finished result of `key`, None where it is still to be computed.

        Raises:
            CamproError: for a damaged file.
        """
        return self._read().get(json_digest(as_plain(key)))

    def add(self, key: Mapping[str, Json], value: Json) -> None:
        """Append the result of `key`: plain JSON without NaN. An equal result of the same origin is not repeated.

        Raises:
            CamproError: for a value that is no finite JSON, or a disk that is full; finished cells are kept.
        """
        cell = Cell(as_plain(key), as_plain(value), current_origin())
        line, digest = cell.to_line(), json_digest(cell.key)
        if (known := self._read().get(digest)) is not None and known == cell:
            return
        append_line(self.path, line, sync=True)
        self._read()[digest] = cell

    def copy(self, cell: Cell) -> None:
        """Append a finished result of another run with its own origin, unless it is there."""
        digest = json_digest(cell.key)
        if self._read().get(digest) != cell:
            append_line(self.path, cell.to_line(), sync=True)
            self._read()[digest] = cell

    def all(self) -> list[Cell]:
        """All finished results, in the order in which their keys were first finished."""
        return list(self._read().values())

    def drop_partial_line(self) -> None:
        """Remove a last line without an end, which a kill leaves behind."""
        if self.path.exists() and not (old := self.path.read_bytes()).endswith(b"\n") and old:
            atomic_write(self.path, old[: old.rfind(b"\n") + 1])
            self._cells = None

    def _read(self) -> dict[str, Cell]:
        if self._cells is None:
            self._cells = {}
            text = self.path.read_text(errors="replace") if self.path.exists() else ""
            for number, line in enumerate(text.splitlines(), start=1):
                cell = Cell.from_line(line, f"{self.path}, line {number}")
                self._cells[json_digest(cell.key)] = cell
        return self._cells

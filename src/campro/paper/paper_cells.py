"""The finished cells of a run of `campro paper`, typed: all that the page is made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from campro.audit.cell_keys import Key
from campro.audit.metadata import ModelInfo
from campro.core.cells import Cell, CellFile
from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.core.provenance import Origin
from campro.core.typed_json import from_json
from campro.paper.scoped_run import labelled

T = TypeVar("T")
SETTINGS: Key = {"kind": "paper"}
"""Key of the cell that describes the run."""


def status_key(item: str) -> Key:
    """Key of the cell with the state of one item."""
    return {"kind": "item", "item": item}


@dataclass(frozen=True)
class DataUsed:
    """A data set of the run."""

    name: str
    digest: str
    people: int
    """People to recognise, or labelled people in scenes."""
    photos: int


@dataclass(frozen=True)
class PaperSettings:
    """What the run was made with."""

    scale: str
    profile: str
    profile_digest: str
    white_box: str
    """The recogniser that the profile was trained against; empty where there is none."""
    seed: int
    trials: int
    data: tuple[DataUsed, ...]
    recognisers: tuple[ModelInfo, ...]
    landmarks: str
    detector: str

    @property
    def synthetic(self) -> bool:
        """Whether the data are the embedded sample."""
        return self.scale == "sample"


@dataclass(frozen=True)
class ItemStatus:
    """The state of one item."""

    problem: str = ""
    """Why it could not be made, with the remedy; empty where it was made."""
    seconds: float = 0.0
    """Time of the last run that added cells to it."""


class PaperCells:
    """Cells by key."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = list(cells)
        self._by_key = {json_digest(cell.key): cell for cell in self._cells}

    @staticmethod
    def read(path: Path) -> PaperCells:
        """From a run folder, or a copy of its cells.jsonl.

        Raises:
            CamproError: where there are no cells of `campro paper`, or damaged ones.
        """
        file = Path(path) / "cells.jsonl" if Path(path).is_dir() else Path(path)
        cells = PaperCells(CellFile(file).all())
        if cells.cell(SETTINGS) is None:
            raise CamproError(str(path), "the cells of `campro paper`", "none", "run `campro paper` first")
        return cells

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._cells)

    @property
    def settings(self) -> PaperSettings:
        """What the run was made with."""
        found = self.value(PaperSettings, SETTINGS)
        assert found is not None  # `read` checks it
        return found

    def cell(self, key: Key) -> Cell | None:
        """The cell of a key, None where it is not finished."""
        return self._by_key.get(json_digest(key))

    def value(self, kind: type[T], key: Key) -> T | None:
        """The typed value of a cell, None where it is not finished."""
        cell = self.cell(key)
        return None if cell is None else from_json(kind, cell.value, f"cell {key}")

    def origin(self, key: Key) -> Origin | None:
        """What made a cell, None where it is not finished."""
        cell = self.cell(key)
        return None if cell is None else cell.origin

    def part(self, **labels: str) -> PaperCells:
        """The cells with these labels, such as data="lfw", profile="invert"; their keys without the labels."""
        return PaperCells(labelled(self._cells, labels))

    def named(self, name: str, **wanted: Any) -> list[str]:
        """Values of `name` in the keys of cells that have the other values, in the order of the cells.

        `cells.named("model", kind="identification")` are the recognisers of identification.
        """
        keys = (cell.key for cell in self._cells)
        found = (str(key[name]) for key in keys if name in key and all(key.get(n) == v for n, v in wanted.items()))
        return list(dict.fromkeys(found))

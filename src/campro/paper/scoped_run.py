"""A part of a run folder whose cells have labels: several audits in one file of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from campro.core.cells import Cell, Json
from campro.core.run_folder import RunFolder


class ScopedRun(RunFolder):
    """Adds labels to the keys of cells, so that `campro.audit` measures several data sets and profiles in one run."""

    def __init__(self, whole: RunFolder, labels: Mapping[str, str]) -> None:
        super().__init__(whole.path, whole.config)
        self.whole, self.labels = whole, dict(labels)

    def cell(self, key: Mapping[str, Json]) -> Json | None:
        """See `RunFolder.cell`; `key` without the labels."""
        return self.whole.cell({**self.labels, **key})

    def write_cell(self, key: Mapping[str, Json], value: Json) -> None:
        """See `RunFolder.write_cell`; `key` without the labels."""
        self.whole.write_cell({**self.labels, **key}, value)

    def cells(self) -> list[Cell]:
        """The cells with these labels, their keys without them."""
        return labelled(self.whole.cells(), self.labels)


def labelled(cells: list[Cell], labels: Mapping[str, str]) -> list[Cell]:
    """The cells whose keys have these labels; the labels are taken off."""
    return [
        replace(cell, key={name: value for name, value in cell.key.items() if name not in labels})
        for cell in cells
        if all(cell.key.get(name) == value for name, value in labels.items())
    ]

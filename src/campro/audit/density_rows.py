"""Rows of the table of pixel densities: the runs of one attack on one model at one density, and their control."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from campro.audit.results import DensityResult
from campro.audit.run_rows import RunRow, controls_of, runs_by_place
from campro.core.cells import Cell


@dataclass(frozen=True)
class DensityRow(RunRow[DensityResult]):
    """All runs of one attack on one model and camera at one density."""

    camera: str
    density: float
    """In px/m."""


def density_rows(cells: Iterable[Cell]) -> list[DensityRow]:
    """A row per density, model, attack and camera, by rising density; within one in the order of the cells."""
    runs = runs_by_place(cells, "attack at density", DensityResult)
    rows = [
        DensityRow(place.model, place.attack, tuple(found), controls_of(runs, place), place.camera, place.density)
        for place, found in runs.items()
        if place.density is not None
    ]
    return sorted(rows, key=lambda row: row.density)

"""Rows of the attack table: the cells of one attack on one model, its best run and its control."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from campro.audit.audit_config import CAPTURED
from campro.audit.results import AttackResult
from campro.audit.run_rows import RunRow, controls_of, runs_by_place
from campro.core.cells import Cell
from campro.metrics.rates import Rate

TIES = 0.01
"""Share of hits by ties alone from which on a row says so."""


@dataclass(frozen=True)
class AttackRow(RunRow[AttackResult]):
    """All runs of one attack on one model, on the camera with the profile."""

    @property
    def best_run(self) -> str:
        """Name of the best run."""
        return self.best.name

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the trainings that did not converge."""
        return tuple(run.name for run in self.runs if run.result.converged is False)

    @property
    def seconds(self) -> float:
        """Time of all runs."""
        return sum(run.result.fit_s + run.result.judge_s for run in self.runs)

    @property
    def verdict(self) -> str:
        """Whether the best run's rate can be relied on."""
        best = self.best.result
        if (best.tied or 0) > TIES:
            return f"{100 * (best.tied or 0):.0f} % are ties"
        converged = {None: "no training", True: "yes", False: "no: a lower bound"}[best.converged]
        return f"{converged}; {len(self.failed)} of {len(self.runs)} runs failed" if self.failed else converged

    @property
    def scaling(self) -> tuple[tuple[int, float], ...]:
        """(training photographs, best rank-1), fewest first."""
        return tuple((count, rate.mean) for count, rate in self.best_by_size.items())

    @property
    def best_by_size(self) -> dict[int, Rate]:
        """Best rank-1 rate by the number of training photographs, fewest first."""
        best: dict[int, Rate] = {}
        for run in self.runs:
            rate, count = run.result.rank1, run.result.training_images
            if count and (count not in best or rate.mean > best[count].mean):
                best[count] = rate
        return dict(sorted(best.items()))


def attack_rows(cells: Iterable[Cell]) -> list[AttackRow]:
    """A row per model and attack that has a finished run on the camera with the profile, in the order of the cells."""
    runs = runs_by_place(cells, "attack", AttackResult)
    return [
        AttackRow(place.model, place.attack, tuple(found), controls_of(runs, place))
        for place, found in runs.items()
        if place.camera == CAPTURED
    ]

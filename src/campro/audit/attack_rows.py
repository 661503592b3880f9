"""Rows of the attack table: the cells of one attack on one model, its best run and its control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from campro.attacks.attack_base import ThreatModel
from campro.attacks.filters import NO_ATTACK
from campro.audit.audit_config import CAPTURED
from campro.audit.audit_context import CONTROL
from campro.audit.results import AttackResult
from campro.core.cells import Cell
from campro.core.provenance import Origin
from campro.core.typed_json import from_json
from campro.metrics.rates import Rate

TIES = 0.01
"""Share of hits by ties alone from which on a row says so."""


@dataclass(frozen=True)
class RunResult:
    """One run: its name, result, and origin."""

    name: str
    result: AttackResult
    origin: Origin


@dataclass(frozen=True)
class AttackRow:
    """All runs of one attack on one model."""

    model: str
    attack: str
    runs: tuple[RunResult, ...]
    """On the camera with the profile."""
    controls: tuple[RunResult, ...]
    """On the camera without profile; attacks without training also count raw pictures without an attack."""

    @property
    def best(self) -> RunResult:
        """The run that recognises most people, the attacker's choice; of equal runs one whose ties were counted."""
        return max(self.runs, key=lambda run: (run.result.rank1.mean, run.result.tied is not None))

    @property
    def best_run(self) -> str:
        """Name of the best run."""
        return self.best.name

    @property
    def rank1(self) -> Rate:
        """Of the best run."""
        return self.best.result.rank1

    @property
    def control(self) -> Rate | None:
        """The highest rank-1 rate on the camera without profile; None where it was not measured."""
        rates = [run.result.rank1 for run in self.controls]
        return max(rates, key=lambda rate: rate.mean, default=None)

    @property
    def threat_model(self) -> ThreatModel:
        """What the attacker knows."""
        return self.runs[0].result.threat_model

    @property
    def given(self) -> str:
        """What the attacker is given, in words."""
        return self.runs[0].result.given

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
    runs: dict[tuple[str, str, str], list[RunResult]] = {}
    for cell in cells:
        if cell.key.get("kind") == "attack":
            result = from_json(AttackResult, cell.value, f"attack cell {cell.key.get('run')}")
            place = (cell.key["model"], cell.key["attack"], cell.key["camera"])
            runs.setdefault(place, []).append(RunResult(cell.key["run"], result, cell.origin))
    return [
        AttackRow(model, attack, tuple(found), tuple(_controls(runs, model, attack, trained=_trained(found))))
        for (model, attack, camera), found in runs.items()
        if camera == CAPTURED
    ]


def _trained(runs: list[RunResult]) -> bool:
    return any(run.result.converged is not None for run in runs)


def _controls(
    runs: Mapping[tuple[str, str, str], list[RunResult]], model: str, attack: str, trained: bool
) -> list[RunResult]:
    """The same attack on raw photographs, or raw photographs without an attack, since nobody filters these.

    A training is compared with itself alone: its control says whether it works at all.
    """
    plain = [] if trained else runs.get((model, NO_ATTACK.name, CONTROL), [])
    return [*plain, *runs.get((model, attack, CONTROL), [])]

"""Runs of attacks in groups: all runs of one attack on one model, the best of them, and their control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from campro.attacks.attack_base import ThreatModel
from campro.attacks.filters import NO_ATTACK
from campro.audit.audit_context import CONTROL
from campro.audit.results import AttackResult, DensityResult
from campro.core.cells import Cell
from campro.core.provenance import Origin
from campro.core.typed_json import from_json
from campro.metrics.rates import Rate

R = TypeVar("R", AttackResult, DensityResult)


class Place(NamedTuple):
    """What the runs of one row have in common."""

    model: str
    attack: str
    camera: str
    density: float | None = None
    """In px/m; None at full size."""


@dataclass(frozen=True)
class RunResult(Generic[R]):
    """One run: its name, result, and origin."""

    name: str
    result: R
    origin: Origin


@dataclass(frozen=True)
class RunRow(Generic[R]):
    """All runs of one attack on one model and camera."""

    model: str
    attack: str
    runs: tuple[RunResult[R], ...]
    controls: tuple[RunResult[R], ...]
    """On the camera without profile; attacks without training also count raw pictures without an attack."""

    @property
    def best(self) -> RunResult[R]:
        """The run that recognises most people, the attacker's choice; of equal runs one whose ties were counted."""
        return max(self.runs, key=lambda run: (run.result.rank1.mean, run.result.tied is not None))

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
        return self.best.result.threat_model

    @property
    def given(self) -> str:
        """What the attacker is given, in words."""
        return self.best.result.given

    @property
    def trained(self) -> bool:
        """Whether the attack trains networks."""
        return is_trained(self.runs)


def is_trained(runs: Iterable[RunResult[R]]) -> bool:
    """Whether any of the runs trained a network."""
    return any(run.result.converged is not None for run in runs)


def runs_by_place(cells: Iterable[Cell], kind: str, result: type[R]) -> dict[Place, list[RunResult[R]]]:
    """The runs in the cells of one kind, in the order of the cells."""
    runs: dict[Place, list[RunResult[R]]] = {}
    for cell in cells:
        if cell.key.get("kind") == kind:
            key = cell.key
            value = from_json(result, cell.value, f"attack cell {key.get('run')}")
            density = None if key.get("density") is None else float(key["density"])
            place = Place(key["model"], key["attack"], key["camera"], density)
            runs.setdefault(place, []).append(RunResult(key["run"], value, cell.origin))
    return runs


def controls_of(runs: Mapping[Place, list[RunResult[R]]], place: Place) -> tuple[RunResult[R], ...]:
    """The same attack on raw photographs, or raw photographs without an attack, since nobody filters these.

    A training is compared with itself alone: its control says whether it works at all.
    """
    found = list(runs.get(place._replace(camera=CONTROL), []))
    if not is_trained(runs[place]) and place.attack != NO_ATTACK.name:
        found = runs.get(place._replace(camera=CONTROL, attack=NO_ATTACK.name), []) + found
    return tuple(found)

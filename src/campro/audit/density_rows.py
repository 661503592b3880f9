"""Rows of the table of pixel densities: the runs of one attack on one model at one density, and their control."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from campro.attacks.attack_base import ThreatModel
from campro.attacks.filters import NO_ATTACK
from campro.audit.audit_config import CAPTURED
from campro.audit.audit_context import CONTROL
from campro.audit.results import DensityResult
from campro.core.cells import Cell
from campro.core.provenance import Origin
from campro.core.typed_json import from_json
from campro.metrics.rates import Rate


@dataclass(frozen=True)
class DensityRun:
    """One run: its name, result, and origin."""

    name: str
    result: DensityResult
    origin: Origin


@dataclass(frozen=True)
class DensityRow:
    """All runs of one attack on one model at one density."""

    density: float
    """In px/m."""
    model: str
    attack: str
    runs: tuple[DensityRun, ...]
    """On the camera that was asked for, as a rule that with the profile."""
    controls: tuple[DensityRun, ...]
    """The same attack on the camera without profile; attacks without training also count raw pictures as they are."""

    @property
    def best(self) -> DensityRun:
        """The run with the highest rank-1 rate: the attacker's choice."""
        return max(self.runs, key=lambda run: run.result.rank1.mean)

    @property
    def rank1(self) -> Rate:
        """Of the best run."""
        return self.best.result.rank1

    @property
    def control(self) -> Rate | None:
        """The highest rank-1 rate on the camera without profile; None where it was not measured."""
        return max((run.result.rank1 for run in self.controls), key=lambda rate: rate.mean, default=None)

    @property
    def threat_model(self) -> ThreatModel:
        """What the attacker knows."""
        return self.best.result.threat_model

    @property
    def trained(self) -> bool:
        """Whether the attack trains networks."""
        return any(run.result.converged is not None for run in self.runs)


def density_rows(cells: Iterable[Cell], camera: str = CAPTURED) -> list[DensityRow]:
    """A row per density, model and attack on one camera, by rising density; within one in the order of the cells."""
    runs: dict[tuple[float, str, str, str], list[DensityRun]] = {}
    for cell in cells:
        if cell.key.get("kind") == "attack at density":
            key = cell.key
            result = from_json(DensityResult, cell.value, f"attack cell {key.get('run')}")
            group = (float(key["density"]), key["model"], key["attack"], key["camera"])
            runs.setdefault(group, []).append(DensityRun(key["run"], result, cell.origin))
    rows = []
    for (density, model, attack, place), found in runs.items():
        if place == camera:
            controls = list(runs.get((density, model, attack, CONTROL), []))
            if not any(run.result.converged is not None for run in found) and attack != NO_ATTACK.name:
                controls += runs.get((density, model, NO_ATTACK.name, CONTROL), [])
            rows.append(DensityRow(density, model, attack, tuple(found), tuple(controls)))
    return sorted(rows, key=lambda row: row.density)

"""Identification and person detection over pixel density, and the densities at which both cross stated rates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.audit_context import CONTROL, NIGHT
from campro.audit.density_rows import DensityRow
from campro.audit.results import GroupRate
from campro.core.typed_json import as_plain
from campro.evaluation.person_heights import HeightClass, PeopleByHeight
from campro.metrics.rates import Rate
from campro.report.findings import Findings

LIMITS = (0.01, 0.05, 0.1)
"""Rank-1 rates that an installer may accept; the upper end of the interval has to stay below."""
SHARES = (0.5, 0.8)
"""Shares of people detected."""


@dataclass(frozen=True)
class DensityPoint:
    """The attack that identifies most people at one density."""

    density: float
    """In px/m."""
    rank1: Rate
    attack: str
    run: str
    model: str
    gallery: str
    groups: tuple[GroupRate, ...] = ()
    """Of the same run, by group of people; the gallery holds all people."""
    dirty: bool = False
    """Whether it was measured with uncommitted changes."""


@dataclass(frozen=True)
class Crossing:
    """A density at which a curve crosses a rate, or the bound that the tested densities allow."""

    density: float | None
    """In px/m; None where the curve is above the rate at the lowest density that was tested."""
    open_ended: bool = False
    """The curve never rises above the rate: `density` is the highest that was tested."""


@dataclass(frozen=True)
class RangeCurves:
    """What an audit says about distance; empty tuples where it has not measured it."""

    raw: tuple[DensityPoint, ...]
    """Camera without profile, no attack."""
    no_attack: tuple[DensityPoint, ...]
    cheap: tuple[DensityPoint, ...]
    """Worst case over all attacks without training, no attack among them."""
    trained: tuple[DensityPoint, ...]
    """Worst case over trained attacks."""
    night: tuple[DensityPoint, ...]
    """Night mode: grey pictures, the colour matrix switched off; no attack and filters."""
    raw_people: tuple[HeightClass, ...]
    people: tuple[HeightClass, ...]
    """Captured pictures, by the adapted detector where there is one."""

    @property
    def worst(self) -> tuple[DensityPoint, ...]:
        """Worst case over all attacks that ran."""
        return _worst_of((*self.cheap, *self.trained))

    def to_json(self) -> dict[str, Any]:
        """All curves, the worst case over all attacks among them."""
        plain: dict[str, Any] = as_plain(self)
        return plain | {"worst": as_plain(self.worst)}

    @staticmethod
    def of(findings: Findings) -> RangeCurves:
        """Gather the curves from the cells of an audit."""
        by_camera: dict[str, list[DensityRow]] = {camera: [] for camera in (CONTROL, CAPTURED, NIGHT)}
        for row in findings.attacks_at_densities:
            by_camera.setdefault(row.camera, []).append(row)
        rows = by_camera[CAPTURED]
        return RangeCurves(
            raw=_worst_of(_points(by_camera[CONTROL], none_only=True)),
            no_attack=_worst_of(_points(rows, none_only=True)),
            cheap=_worst_of(_points(row for row in rows if not row.trained)),
            trained=_worst_of(_points(row for row in rows if row.trained)),
            night=_worst_of(_points(by_camera[NIGHT])),
            raw_people=_people(findings, RAW),
            people=_people(findings, CAPTURED),
        )


def protected_up_to(points: Sequence[DensityPoint], limit: float) -> Crossing:
    """The density up to which the upper end of rank-1's interval stays at or below `limit`.

    Between the last density that does and the first that does not, the upper end is taken as linear over the logarithm
    of the density. A density counts only if all lower ones do.
    """
    last: DensityPoint | None = None
    for point in sorted(points, key=lambda each: each.density):
        if point.rank1.high > limit:
            if last is None:
                return Crossing(None)
            share = (limit - last.rank1.high) / (point.rank1.high - last.rank1.high)
            return Crossing(last.density * (point.density / last.density) ** share)
        last = point
    return Crossing(None) if last is None else Crossing(last.density, open_ended=True)


def detected_from(classes: Sequence[HeightClass], share: float) -> Crossing:
    """The density from which on at least `share` of the people are detected, interpolated as in `protected_up_to`.

    A density counts only if all higher ones do.
    """
    last: HeightClass | None = None
    for each in sorted(classes, key=lambda one: -one.density):
        if each.detected.mean < share:
            if last is None:
                return Crossing(None)
            part = (last.detected.mean - share) / (last.detected.mean - each.detected.mean)
            return Crossing(last.density * (each.density / last.density) ** part)
        last = each
    return Crossing(None) if last is None else Crossing(last.density, open_ended=True)


def depth(protected: Crossing, detected: Crossing) -> float | None:
    """Ratio of the density up to which nobody is identified to that from which on people are detected.

    Above 1 there is a zone in which people are detected and not identified: it begins where the first density is
    reached and is that many times as deep. None where one of both was not found.
    """
    if protected.density is None or detected.density is None:
        return None
    return protected.density / detected.density


def _points(rows: Iterable[DensityRow], none_only: bool = False) -> list[DensityPoint]:
    chosen = (row for row in rows if row.threat_model == "none" or not none_only)
    return [
        DensityPoint(
            row.density,
            row.rank1,
            row.attack,
            row.best.name,
            row.model,
            row.best.result.gallery,
            row.best.result.groups,
            row.best.origin.dirty,
        )
        for row in chosen
    ]


def _worst_of(points: Iterable[DensityPoint]) -> tuple[DensityPoint, ...]:
    """The highest rank-1 rate at each density, by rising density."""
    worst: dict[float, DensityPoint] = {}
    for point in points:
        if point.density not in worst or point.rank1.mean > worst[point.density].rank1.mean:
            worst[point.density] = point
    return tuple(worst[density] for density in sorted(worst))


def _people(findings: Findings, view: str) -> tuple[HeightClass, ...]:
    """Of the adapted detector where it was measured, else of the detector as given."""
    for adapted in (True, False):
        found = findings.value(PeopleByHeight, cell_keys.people_by_height(view, adapted))
        if found is not None:
            return found.classes
    return ()

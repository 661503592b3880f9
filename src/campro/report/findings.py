"""The finished cells of one audit, typed, and the few figures derived from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from campro.attacks.attack_options import TRANSFER
from campro.attacks.filters import PRETRAINED_RESTORATION
from campro.audit import cell_keys
from campro.audit.attack_rows import AttackRow, attack_rows
from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.cell_keys import Key
from campro.audit.density_rows import DensityRow, density_rows
from campro.audit.legacy_cells import read_cells
from campro.audit.metadata import Metadata
from campro.audit.remaining_information import RemainingInformation
from campro.audit.results import (
    FacesLeftOut,
    GroupRate,
    IdentificationResult,
    PersonDetectionResult,
    QualityResult,
)
from campro.core.cells import Cell
from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.core.provenance import Origin
from campro.core.typed_json import from_json
from campro.metrics.rates import Rate

T = TypeVar("T")
DIRTY = "†"
"""Marks a figure that a source tree with uncommitted changes made."""


@dataclass(frozen=True)
class Findings:
    """What a run folder holds."""

    folder: Path
    metadata: Metadata
    cells: Mapping[str, Cell]
    """By digest of the key."""

    @staticmethod
    def read(folder: Path) -> Findings:
        """Read the run folder of an audit; nothing else is read, so it works wherever that is copied to.

        Raises:
            CamproError: for a folder without an audit, or damaged cells.
        """
        folder = Path(folder)
        cells = read_cells(folder) if folder.is_dir() else []
        by_key = {json_digest(cell.key): cell for cell in cells}
        meta = by_key.get(json_digest(cell_keys.META))
        if meta is None:
            got = f"{len(cells)} cells and none of an audit's" if folder.is_dir() else "no such folder"
            raise CamproError(f"report of {folder}", "the run folder of an audit", got, "run `campro audit` first")
        return Findings(folder, from_json(Metadata, meta.value, f"{folder}, metadata"), by_key)

    # Cells ---------------------------------------------------------------------------------------------------

    def cell(self, key: Key) -> Cell | None:
        """A cell, None where it is not finished."""
        return self.cells.get(json_digest(key))

    def value(self, kind: type[T], key: Key) -> T | None:
        """The typed value of a cell, None where it is not finished."""
        cell = self.cell(key)
        return None if cell is None else from_json(kind, cell.value, f"{self.folder}, cell {key}")

    def mark(self, key: Key) -> str:
        """A dagger for a cell that was made with uncommitted changes, else nothing."""
        cell = self.cell(key)
        return DIRTY if cell is not None and cell.origin.dirty else ""

    def identification(self, model: str, view: str, matcher: str) -> IdentificationResult | None:
        """Identification without an attack."""
        return self.value(IdentificationResult, cell_keys.identification(model, view, matcher))

    def by_group(self, model: str, view: str) -> tuple[GroupRate, ...]:
        """Rank-1 per group of people; empty where it was not measured."""
        return self.value(tuple[GroupRate, ...], cell_keys.identification_by_group(model, view)) or ()

    def face_detection(self, detector: str, view: str) -> Rate | None:
        """Share of probes in which a detector finds the face on a view."""
        return self.value(Rate, cell_keys.face_detection(detector, view))

    def end_to_end(self, model: str, view: str) -> IdentificationResult | None:
        """Identification of the faces that a detector finds on a view."""
        return self.value(IdentificationResult, cell_keys.end_to_end(model, view))

    def person_detection(self, view: str, adapted: bool) -> PersonDetectionResult | None:
        """Scores of the person detector on one view."""
        return self.value(PersonDetectionResult, cell_keys.person_detection(view, adapted))

    def quality(self, view: str) -> dict[str, QualityResult]:
        """Image quality of one view by region; empty where it was not measured."""
        return self.value(dict[str, QualityResult], cell_keys.image_quality(view)) or {}

    @property
    def faces_left_out(self) -> dict[str, FacesLeftOut]:
        """How much of the faces the enhancer removes, by face detector."""
        return self.value(dict[str, FacesLeftOut], cell_keys.FACES_LEFT_OUT) or {}

    @property
    def remaining_information(self) -> RemainingInformation | None:
        """Entropies of the colour of a pixel; None where they were not computed."""
        return self.value(RemainingInformation, cell_keys.REMAINING_INFORMATION)

    @cached_property
    def attacks(self) -> list[AttackRow]:
        """A row per attack and model, the highest rank-1 rate first."""
        return sorted(attack_rows(self.cells.values()), key=lambda row: -row.rank1.mean)

    @cached_property
    def attacks_at_densities(self) -> list[DensityRow]:
        """A row per density, model, attack and camera, by rising density."""
        return density_rows(self.cells.values())

    # What was measured ---------------------------------------------------------------------------------------

    @property
    def views(self) -> list[str]:
        """Names of the views, raw and captured first."""
        return [view.name for view in self.metadata.views]

    def labelled(self) -> Findings:
        """The same with your own face models under the names of their cards, for the page; cells have their paths."""
        labels = _labels(self.metadata)
        if not labels:
            return self
        cells = [
            replace(cell, key=cell.key | {"model": labels.get(cell.key["model"], cell.key["model"])})
            if "model" in cell.key
            else cell
            for cell in self.cells.values()
        ]
        models = tuple(labels.get(model, model) for model in self.metadata.models)
        return Findings(
            self.folder, replace(self.metadata, models=models), {json_digest(cell.key): cell for cell in cells}
        )

    @cached_property
    def models(self) -> list[str]:
        """Face models with a cell, in the order of the newest command, then of the cells."""
        used = (cell.key["model"] for cell in self.cells.values() if "model" in cell.key)
        return list(dict.fromkeys([*self.metadata.models, *used]))

    @cached_property
    def matchers(self) -> list[str]:
        """Matchers of identification without attacks."""
        used = (cell.key["matcher"] for cell in self.cells.values() if "matcher" in cell.key)
        return list(dict.fromkeys([*self.metadata.matchers, *used]))

    @property
    def adapted(self) -> bool:
        """Whether the person detector was adapted to the views."""
        return self.metadata.adapt_steps > 0

    @cached_property
    def origins(self) -> dict[str, tuple[Origin, int]]:
        """What made the cells, and how many: by label of the commit and machine."""
        counts: dict[str, tuple[Origin, int]] = {}
        for cell in self.cells.values():
            name = f"{cell.origin.label}, {cell.origin.machine}"
            counts[name] = (cell.origin, counts.get(name, (cell.origin, 0))[1] + 1)
        return counts

    @property
    def missing(self) -> int:
        """Cells that the audit has still to compute; attacks are counted by name, not by run."""
        parts = set(self.metadata.measured)
        wanted: list[Key] = []
        if "identification" in parts:
            wanted += self._identification_keys()
        if "detection" in parts:
            kinds = (False, True) if self.adapted else (False,)
            wanted += [cell_keys.person_detection(view, adapted) for view in self.views for adapted in kinds]
            wanted += [cell_keys.people_by_height(view, adapted) for view in (RAW, CAPTURED) for adapted in kinds]
        if "quality" in parts:
            wanted += [cell_keys.image_quality(view) for view in self.views if view != RAW]
        done = {(row.model, row.attack) for row in self.attacks}
        attacks = {(model, attack) for model in self.metadata.models for attack in self.metadata.attacks}
        without_runs = {PRETRAINED_RESTORATION.name, TRANSFER}  # without a restorer, and with one recogniser only
        left = [pair for pair in attacks - done if pair[1] not in without_runs and "attacks" in parts]
        at_density = {
            (row.density, row.model, row.attack) for row in self.attacks_at_densities if row.camera == CAPTURED
        }
        left_at = {
            (density, *pair) for density in self.metadata.densities for pair in attacks if pair[1] not in without_runs
        }
        return sum(self.cell(key) is None for key in wanted) + len(left) + len(left_at - at_density)

    def _identification_keys(self) -> list[Key]:
        models, views = self.metadata.models, self.views
        detectors = self.metadata.face_detectors
        return [
            *(cell_keys.identification(m, v, k) for m in models for v in views for k in self.metadata.matchers),
            *(cell_keys.face_detection(d, v) for d in detectors for v in views),
            *(cell_keys.end_to_end(m, v) for m in models for v in views if detectors),
            *(cell_keys.identification_by_group(m, v) for m in models for v in self.metadata.group_views),
        ]

    # Derived figures -----------------------------------------------------------------------------------------

    def worst(self, view: str) -> tuple[str, str, IdentificationResult] | None:
        """The face model and matcher with the highest rank-1 rate on a view without an attack, and the result."""
        found = [
            (model, matcher, result)
            for model in self.models
            for matcher in self.matchers
            if (result := self.identification(model, view, matcher)) is not None
        ]
        return max(found, key=lambda each: each[2].rank1.mean, default=None)

    def ap(self, view: str, adapted: bool) -> float | None:
        """AP of the person detector on one view."""
        scores = self.person_detection(view, adapted)
        return None if scores is None else scores.ap

    @property
    def best_raw_ap(self) -> float | None:
        """AP on raw photographs, of the adapted detector or the given one, whichever is higher.

        Comparing with the lower of the two would make every view look better than it is.
        """
        return max((ap for adapted in (True, False) if (ap := self.ap(RAW, adapted)) is not None), default=None)

    def kept(self, view: str, adapted: bool) -> float | None:
        """AP on a view as a share of the best AP on raw photographs."""
        ap, reference = self.ap(view, adapted), self.best_raw_ap
        return None if ap is None or not reference else ap / reference

    def best_detection(self, view: str) -> tuple[bool, PersonDetectionResult] | None:
        """The adapted detector where there is one, else the one as given: (adapted, scores)."""
        for adapted in (True, False):
            if (scores := self.person_detection(view, adapted)) is not None:
                return adapted, scores
        return None


def by_threat_model(rows: Iterable[AttackRow]) -> dict[str, AttackRow]:
    """The worst row of each threat model."""
    worst: dict[str, AttackRow] = {}
    for row in sorted(rows, key=lambda row: -row.rank1.mean):
        worst.setdefault(row.threat_model, row)
    return worst


def plain_origin(origin: Origin) -> dict[str, Any]:
    """An origin as JSON for report.json, with its label."""
    return {"label": origin.label, "machine": origin.machine, "campro": origin.campro, "python": origin.python}


def _labels(metadata: Metadata) -> dict[str, str]:
    """Name of a face model in options -> name on its card, for models that options name by a path.

    Cards of one name are told apart by the names of their files.
    """
    cards = {
        model: card.name for model, card in zip(metadata.models, metadata.model_cards) if model.startswith("onnx/")
    }
    names = [*cards.values(), *(model for model in metadata.models if model not in cards)]
    return {model: name if names.count(name) == 1 else f"{name} ({Path(model).stem})" for model, name in cards.items()}

"""What an audit found: the cells of a run folder, read back, and the few figures derived from them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campro.audit.audit_config import CAPTURED, RAW
from campro.audit.experiments import (
    META_KEY,
    detection_key,
    end_to_end_key,
    faces_found_key,
    group_key,
    identification_key,
    quality_key,
)
from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.core.run_folder import Json, RunFolder


@dataclass(frozen=True)
class Findings:
    """The finished cells of one audit, by key."""

    folder: Path
    meta: dict[str, Any]
    stamp: dict[str, Any]
    """Commit, versions and machine of the newest start."""
    cells: dict[str, Json]

    @staticmethod
    def read(folder: Path) -> Findings:
        """Read a run folder; a folder that no audit has written is refused."""
        folder = Path(folder)
        cells = RunFolder(folder, {}).cells() if folder.is_dir() else []
        by_key = {json_digest(cell["key"]): cell["value"] for cell in cells}
        meta = by_key.get(json_digest(META_KEY))
        if meta is None:
            got = f"{len(cells)} cells and none of an audit's" if folder.is_dir() else "no such folder"
            raise CamproError(f"report of {folder}", "the run folder of an audit", got, "run `campro audit` first")
        starts = json.loads((folder / "meta.json").read_text())["starts"]
        return Findings(folder, meta, starts[-1], by_key)

    def get(self, key: dict[str, Json]) -> Any:
        """The value of a cell, None where it was not finished."""
        return self.cells.get(json_digest(key))

    @property
    def views(self) -> list[str]:
        """Names of the views, raw and captured first."""
        return [view["name"] for view in self.meta["views"]]

    def identification(self, model: str, view: str, matcher: str) -> dict[str, Any] | None:
        """Figures of one face model and matcher on one view."""
        return self.get(identification_key(model, view, matcher))

    def detection(self, view: str, adapted: bool) -> dict[str, Any] | None:
        """The person detector's figures on one view."""
        return self.get(detection_key(view, adapted))

    @property
    def face_detectors(self) -> list[str]:
        """That were tried on every view."""
        return list(self.meta.get("face_detectors", ()))

    def faces_found(self, detector: str, view: str) -> dict[str, Any] | None:
        """Share of queries in which a detector finds the face on a view."""
        return self.get(faces_found_key(detector, view))

    def end_to_end(self, model: str, view: str) -> dict[str, Any] | None:
        """Figures of one face model on the faces that are found on a view."""
        return self.get(end_to_end_key(model, view))

    @property
    def group_views(self) -> list[str]:
        """Those that were broken down by group; none in folders of audits that did not yet do that."""
        return list(self.meta.get("group_views", ()))

    def by_group(self, model: str, view: str) -> list[dict[str, Any]] | None:
        """Rank-1 of one face model on one view, per group of people."""
        return self.get(group_key(model, view))

    def quality(self, view: str) -> dict[str, dict[str, Any]]:
        """Image quality of one view by region; empty where it was not measured."""
        return self.get(quality_key(view)) or {}

    def worst(self, view: str) -> tuple[str, str, dict[str, Any]] | None:
        """The face model and matcher that recognise most people in a view, and their figures."""
        found = [
            (model, matcher, cell)
            for model in self.meta["models"]
            for matcher in self.meta["matchers"]
            if (cell := self.identification(model, view, matcher)) is not None
        ]
        return max(found, key=lambda each: each[2]["rank1"]["mean"], default=None)

    def ap(self, view: str, adapted: bool) -> float | None:
        """AP of the detector on one view."""
        cell = self.detection(view, adapted)
        return None if cell is None else cell["scores"]["ap"]

    @property
    def best_raw_ap(self) -> float | None:
        """AP on raw photographs, of the adapted detector or the given one, whichever is better.

        Comparing with the lesser of the two would make every view look better than it is.
        """
        return max((ap for adapted in (True, False) if (ap := self.ap(RAW, adapted)) is not None), default=None)

    def kept(self, view: str, adapted: bool) -> float | None:
        """AP on a view as a share of the best AP on raw photographs."""
        ap, reference = self.ap(view, adapted), self.best_raw_ap
        return None if ap is None or not reference else ap / reference

    @property
    def adapted(self) -> bool:
        """Whether the detector was adapted to the views."""
        return bool(self.meta["adapt_steps"])

    @property
    def missing(self) -> int:
        """Cells that the audit has still to compute."""
        faces = [
            self.identification(m, v, k) for m in self.meta["models"] for v in self.views for k in self.meta["matchers"]
        ]
        kinds = (False, True) if self.adapted else (False,)
        looks = [self.get(quality_key(view)) for view in self.views if view != RAW]
        persons = [self.detection(view, adapted) for view in self.views for adapted in kinds]
        found = [self.faces_found(detector, view) for detector in self.face_detectors for view in self.views]
        ends = [self.end_to_end(m, v) for m in self.meta["models"] for v in self.views if self.face_detectors]
        groups = [self.by_group(model, view) for model in self.meta["models"] for view in self.group_views]
        return [*faces, *persons, *looks, *found, *ends, *groups].count(None)

    def headline(self) -> dict[str, Json]:
        """The figures that stand on top of the report; null where the audit has not got there yet."""
        worst, reference = self.worst(CAPTURED), self.worst(RAW)
        return {
            "profile": self.meta["profile_name"],
            "synthetic": bool(self.meta["synthetic"]),
            "unfinished_cells": self.missing,
            "captured_rank1": None if worst is None else worst[2]["rank1"],
            "captured_rank1_of": None if worst is None else {"model": worst[0], "matcher": worst[1]},
            "raw_rank1": None if reference is None else reference[2]["rank1"],
            "people": None if worst is None else worst[2]["people"],
            "models": len(self.meta["models"]),
            "chance_rank1": None if worst is None else 1 / worst[2]["people"],
            "captured_ap": self.ap(CAPTURED, self.adapted),
            "captured_ap_unadapted": self.ap(CAPTURED, False),
            "raw_ap": self.best_raw_ap,
            "ap_kept": self.kept(CAPTURED, self.adapted),
            "adapted": self.adapted,
        }

"""Profiles of a range search on people and scenes that the search did not have: a cell per profile and density.

CAMPRO_DATA=... python -m benchmarks.figures.range_judgement OUT FACES PROFILE ...

Attacks, galleries and the recogniser are those of the search (EdgeFace-XS), and the neighbourhood inverse; FACES is a
folder per person. Scenes: COCO val2017. A run that is started again continues.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from campro.attacks.attack_base import Adversary
from campro.core.catalogue import cache_root
from campro.core.run_folder import RunFolder
from campro.data import read_faces, read_scenes
from campro.evaluation import EvaluationSet
from campro.evaluation.pixel_density import at_density
from campro.isp import IspProfile, load_profile
from campro.models.faces import find_landmarks, load_embedder, load_face_detector
from campro.models.persons import load_detector
from campro.search import range_objective
from campro.search.range_objective import FULL_SIZE, RangeObjective, as_original

DATA = Path(os.environ.get("CAMPRO_DATA", "."))
DENSITIES = (62.5, 125.0, FULL_SIZE)
SEED = 0


class Judgement:
    """Models, photographs and the run folder."""

    def __init__(self, out: Path, people: Path) -> None:
        range_objective.LEFT_OUT = ("polynomial", "monotone curves")  # type: ignore[assignment]
        faces, self.scenes = read_faces(people), read_scenes(DATA / "coco/annotations/instances_val2017.json")
        self.photos = read_scenes(DATA / "coco/annotations/instances_train2017.json").scenes
        self.run = RunFolder.open(out, {"seed": SEED}, inputs={"faces": faces.digest, "scenes": self.scenes.digest})
        landmarks = find_landmarks(faces.photos, load_face_detector("yunet"), cache_root())
        self.evaluation = EvaluationSet.of(faces, landmarks, 1, SEED)
        self.embedder, self.detector = load_embedder("edgeface-xs").eval(), load_detector("yolox-nano").eval()
        self._adversaries: dict[str, dict[str, Adversary]] = {}

    @lru_cache(maxsize=4)  # noqa: B019  (lives as long as the process)
    def side(self, density: float) -> EvaluationSet:
        """The people at one density."""
        if density == FULL_SIZE:
            return as_original(self.evaluation)
        return at_density(self.evaluation, density, cache_root())

    def identify(self, profile: IspProfile, density: float) -> None:
        """Rank-1 of each attack and gallery."""
        key = {"kind": "range judgement", "profile": profile.digest, "density": density}
        if self.run.cell(key) is None:
            objective = RangeObjective({density: self.side(density)}, self.photos, self.embedder, self.detector, SEED)
            if profile.digest not in self._adversaries:
                self._adversaries[profile.digest] = objective.adversaries(profile)
            self.run.write_cell(key, objective.rates_at(profile, density, self._adversaries[profile.digest]))
        rates: list[dict[str, Any]] = self.run.cell(key) or []
        print(profile.name, density, json.dumps(max(rates, key=lambda one: one["rank1"]["mean"])), flush=True)

    def detect(self, profiles: Sequence[IspProfile]) -> None:
        """Person detection on all scenes."""
        objective = RangeObjective({}, self.scenes.scenes, self.embedder, self.detector, SEED)
        for profile in profiles:
            key = {"kind": "range judgement", "profile": profile.digest, "people": True}
            if self.run.cell(key) is None:
                self.run.write_cell(key, objective.people_kept(profile))
            print(profile.name, json.dumps(self.run.cell(key)), flush=True)


def main(out: Path, people: Path, names: list[str]) -> None:
    """Measure what is missing in the run folder, and print all of it."""
    judgement, profiles = Judgement(out, people), [load_profile(name) for name in names]
    for profile in profiles:
        for density in DENSITIES[:2]:
            judgement.identify(profile, density)
    judgement.detect(profiles)
    for profile in profiles:
        judgement.identify(profile, FULL_SIZE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])

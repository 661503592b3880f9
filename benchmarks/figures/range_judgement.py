"""Profiles of a range search on people and scenes that the search did not have: a cell per profile and density.

CAMPRO_DATA=... python -m benchmarks.figures.range_judgement OUT FACES PROFILE ...

Attacks, galleries and the recogniser are those of the search (EdgeFace-XS), and the neighbourhood inverse; FACES is a
folder per person. Scenes: COCO val2017. A run that is started again continues.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from campro.core.catalogue import cache_root
from campro.core.run_folder import RunFolder
from campro.data import read_faces, read_scenes
from campro.evaluation import EvaluationSet
from campro.evaluation.pixel_density import at_density
from campro.isp import load_profile
from campro.models.faces import find_landmarks, load_embedder, load_face_detector
from campro.models.persons import load_detector
from campro.search import range_objective
from campro.search.range_objective import FULL_SIZE, RangeObjective, as_original

DATA = Path(os.environ.get("CAMPRO_DATA", "."))
DENSITIES = (62.5, 125.0, FULL_SIZE)
SEED = 0


def main(out: Path, people: Path, names: list[str]) -> None:
    """Measure what is missing in the run folder, and print all of it."""
    range_objective.LEFT_OUT = ("polynomial", "monotone curves")  # type: ignore[assignment]
    faces, scenes = read_faces(people), read_scenes(DATA / "coco/annotations/instances_val2017.json")
    photos = read_scenes(DATA / "coco/annotations/instances_train2017.json").scenes
    profiles = {name: load_profile(name) for name in names}
    run = RunFolder.open(out, {"seed": SEED}, inputs={"faces": faces.digest, "scenes": scenes.digest})
    landmarks = find_landmarks(faces.photos, load_face_detector("yunet"), cache_root())
    evaluation = EvaluationSet.of(faces, landmarks, 1, SEED)
    embedder, detector = load_embedder("edgeface-xs").eval(), load_detector("yolox-nano").eval()
    for density in DENSITIES:
        side = as_original(evaluation) if density == FULL_SIZE else at_density(evaluation, density, cache_root())
        objective = RangeObjective({density: side}, photos, embedder, detector, SEED)
        for profile in profiles.values():
            key = {"kind": "range judgement", "profile": profile.digest, "density": density}
            if run.cell(key) is None:
                run.write_cell(key, objective.rates_at(profile, density, objective.adversaries(profile)))
            rates: list[dict[str, Any]] = run.cell(key) or []
            print(profile.name, density, json.dumps(max(rates, key=lambda one: one["rank1"]["mean"])))
    objective = RangeObjective({}, scenes.scenes, embedder, detector, SEED)
    for profile in profiles.values():
        key = {"kind": "range judgement", "profile": profile.digest, "people": True}
        if run.cell(key) is None:
            run.write_cell(key, objective.people_kept(profile))
        print(profile.name, json.dumps(run.cell(key)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])

"""`campro design --densities`: load faces, scenes and models, search, and write the frontier and the profile."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path

from campro.cameras.camera_table import find_camera
from campro.core.catalogue import cache_root
from campro.core.progress import note
from campro.core.run_folder import RunFolder
from campro.core.typed_json import as_plain
from campro.data import FaceSet, SceneSet, join_scenes, read_faces, read_scenes
from campro.design.design_config import DesignConfig
from campro.evaluation import EvaluationSet
from campro.evaluation.pixel_density import at_density
from campro.models.faces import find_landmarks, load_embedder, load_face_detector
from campro.models.persons import load_detector
from campro.search.range_objective import FULL_SIZE, HEIGHTS, RangeObjective, as_original
from campro.search.range_search import search_range, write_result
from campro.search.range_settings import space_of


@dataclass(frozen=True)
class RangeBudget:
    """Size of a search."""

    people: int
    photos: int
    """Most photographs of a person; two of them are compared."""
    scenes: int
    tries: int


BUDGETS: dict[str, RangeBudget] = {
    "quick": RangeBudget(people=20, photos=2, scenes=12, tries=6),
    "cpu": RangeBudget(people=120, photos=3, scenes=120, tries=24),
    "paper-small": RangeBudget(people=120, photos=3, scenes=120, tries=24),
    "paper": RangeBudget(people=300, photos=4, scenes=1000, tries=200),
}
"""By `--preset`. A setting of `cpu` takes about 20 seconds on one core."""


def design_for_range(config: DesignConfig) -> Path:
    """Search for a profile for the densities of the configuration; returns the path of profile.json.

    An interrupted search that is started again tries the same settings.

    Raises:
        CamproError: If the input is unusable, or the run folder has another configuration.
    """
    budget = BUDGETS[config.preset]
    budget = budget if config.rounds is None else replace(budget, tries=config.rounds)
    note("design: read faces, scenes and models")
    faces, scenes = _training_data(config, budget)
    embedder = load_embedder(config.face_model, weights=config.face_weights or "auto").eval()
    detector = load_detector(config.detector, weights=config.detector_weights or "auto")
    face_detector = load_face_detector(config.landmarks)
    inputs = {
        "faces": faces.digest,
        "scenes": scenes.digest,
        "recogniser": embedder.card.weights_sha256 or "random",
        "person detector": detector.card.weights_sha256 or "random",
        "face detector": face_detector.digest,
    }
    run = RunFolder.open(config.out, _settings(config, budget), inputs=inputs)
    evaluation = EvaluationSet.of(faces, find_landmarks(faces.photos, face_detector, cache_root()), 1, config.seed)
    sides = {FULL_SIZE: as_original(evaluation)}
    sides |= {density: at_density(evaluation, density, cache_root()) for density in config.densities}
    heights = HEIGHTS if config.people is None else config.people.pixels
    objective = RangeObjective(sides, scenes.scenes, embedder, detector, config.seed, heights)
    settable = None if config.target is None else find_camera(config.target).settable
    tried = search_range(run, objective, space_of(settable), budget.tries, config.seed)
    return write_result(run, tried, config.name, config.seed)


def _training_data(config: DesignConfig, budget: RangeBudget) -> tuple[FaceSet, SceneSet]:
    """Faces and labelled scenes, as many as the budget has; without options the embedded sample's training half."""
    if config.faces is None:
        from campro.data.embedded import embedded_faces, embedded_scenes  # only the sample needs the face model

        faces, scenes = embedded_faces("train", cache_root()), embedded_scenes("train", cache_root())
    else:
        faces = read_faces(config.faces)
        scenes = join_scenes([read_scenes(path, config.images) for path in config.scenes])
    names = sorted(name for name, photos in faces.identities.items() if len(photos) >= 2)
    chosen = random.Random(config.seed).sample(names, min(budget.people, len(names)))
    people = {name: faces.identities[name][: budget.photos] for name in sorted(chosen)}
    return FaceSet(faces.name, faces.root, people), scenes.first(budget.scenes)


def _settings(config: DesignConfig, budget: RangeBudget) -> dict:
    """What must be the same when a search is resumed; more settings may be tried than before."""
    models = ("face_model", "landmarks", "detector")
    names = ("faces", "scenes", "images", *models, "target", "densities", "range_people", "seed")
    sizes = {name: value for name, value in as_plain(budget).items() if name != "tries"}
    return {name: as_plain(getattr(config, name)) for name in names} | {"range search": sizes}

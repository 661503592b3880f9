"""The embedded sample: synthetic faces, and scenes made of photographs that are part of Python packages.

Both are written to a cache folder once, and then read like other data. They are for tests and demonstrations; results
on them say nothing about real people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import write_image
from campro.data import facemodel
from campro.data.collage import Cutout, compose, extent
from campro.data.faces import FaceSet, read_faces
from campro.data.photographs import PHOTOGRAPHS
from campro.data.scenes import SceneSet, read_scenes

SplitName = Literal["train", "test"]
VERSION = 2
"""Increased when equal arguments give other images; part of the name of the cache folder."""


@dataclass(frozen=True)
class FacePlan:
    """Number of synthetic people, images of each, and the seed."""

    people: int
    images: int
    seed: int


@dataclass(frozen=True)
class ScenePlan:
    """People, backgrounds (keys of PHOTOGRAPHS), number of collages and seed; the two splits share no photograph."""

    people: tuple[str, ...]
    backgrounds: tuple[str, ...]
    collages: int
    seed: int


FACE_PLANS: Mapping[str, FacePlan] = {"train": FacePlan(60, 8, 101), "test": FacePlan(100, 3, 202)}
SCENE_PLANS: Mapping[str, ScenePlan] = {
    "train": ScenePlan(("astronaut", "cameraman"), ("brick", "grass", "coffee"), 38, 303),
    "test": ScenePlan(("hopper",), ("rocket", "cat", "gravel"), 23, 404),
}


def embedded_faces(split: SplitName, cache_dir: Path) -> FaceSet:
    """Synthetic people with several images each; the splits share no person.

    Raises:
        CamproError: if the split is not "train" or "test", or the cache cannot be written.
    """
    plan = _plan(FACE_PLANS, split)
    key = {"version": VERSION, "model": file_sha256(facemodel.WEIGHTS), "plan": vars(plan)}
    folder = _folder(cache_dir, f"synthetic-{split}", key)
    if not (folder / ".complete").exists():
        photos = facemodel.FaceModel.load().sample(plan.people, plan.images, plan.seed)
        for person, pictures in enumerate(photos):
            for number, picture in enumerate(pictures):
                write_image(folder / f"{split}-{person:03d}" / f"{number}.png", picture)
        atomic_write(folder / ".complete", json.dumps(key))
    faces = read_faces(folder)
    return FaceSet(f"synthetic-{split}", folder, faces.identities, faces.problems)


def embedded_scenes(split: SplitName, cache_dir: Path) -> SceneSet:
    """The photographs with people, then collages; the ground truth is from outlines drawn by hand.

    Raises:
        CamproError: if the split is not "train" or "test", a photograph is missing, or the cache cannot be written.
    """
    plan = _plan(SCENE_PLANS, split)
    names = plan.people + plan.backgrounds
    key = {"version": VERSION, "plan": vars(plan), "photographs": {n: file_sha256(PHOTOGRAPHS[n].path) for n in names}}
    folder = _folder(cache_dir, f"scenes-{split}", key)
    file = folder / "annotations.json"
    if not file.exists():  # written last: its presence means that all images are complete
        _write_scenes(plan, folder, file)
    scenes = read_scenes(file)
    return SceneSet(f"embedded-{split}", scenes.scenes, scenes.problems)


def _write_scenes(plan: ScenePlan, folder: Path, file: Path) -> None:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name, (picture, masks) in _pictures(plan).items():
        write_image(folder / "images" / name, picture)
        number = len(images) + 1
        images.append({"id": number, "file_name": name, "width": picture.shape[1], "height": picture.shape[0]})
        for mask in masks:
            x0, y0, x1, y1 = extent(mask)
            fields = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": int(mask.sum()), "iscrowd": 0}
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": 1, **fields})
    licences = [f"{n}: {PHOTOGRAPHS[n].source}, {PHOTOGRAPHS[n].licence}" for n in plan.people + plan.backgrounds]
    info = {"description": "made from photographs that Python packages ship", "contributors": licences}
    categories = [{"id": 1, "name": "person"}]
    coco = {"info": info, "images": images, "annotations": annotations, "categories": categories}
    atomic_write(file, json.dumps(coco, indent=1))


def _pictures(plan: ScenePlan) -> dict[str, tuple[np.ndarray, list[np.ndarray]]]:
    """File name -> image and the visible mask of each person."""
    rng = np.random.default_rng(plan.seed)
    originals = {name: (PHOTOGRAPHS[name].read(), PHOTOGRAPHS[name].masks()) for name in plan.people}
    cutouts = [Cutout.of(rgb, mask) for rgb, masks in originals.values() for mask in masks]
    backgrounds = [PHOTOGRAPHS[name].read() for name in plan.backgrounds]
    pictures = {f"{name}.png": original for name, original in originals.items()}
    for number in range(plan.collages):
        count = rng.choice(4, p=(0.15, 0.4, 0.3, 0.15))
        people = [cutouts[i] for i in rng.integers(0, len(cutouts), count)]
        pictures[f"collage-{number:02d}.png"] = compose(backgrounds[number % len(backgrounds)], people, rng)
    return pictures


def _plan(plans: Mapping[str, Any], split: str) -> Any:
    if split not in plans:
        raise CamproError("embedded sample", " or ".join(plans), repr(split))
    return plans[split]


def _folder(cache_dir: Path, name: str, key: Mapping[str, Any]) -> Path:
    return cache_dir / f"{name}-{json_digest(key)[:12]}"

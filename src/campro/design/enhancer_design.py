"""Train an enhancer for a profile: gather photographs, find the faces in them, learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save_model

from campro.core.atomic_io import replacing
from campro.core.catalogue import cache_root
from campro.core.device import seed_everything
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.progress import track
from campro.core.run_folder import RunFolder, as_plain
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.enhancer_training import TrainingSet, train_enhancer
from campro.enhance.enhancers import new_enhancer
from campro.enhance.samples import TrainingPhoto
from campro.isp import Camera, IspProfile
from campro.models.faces import load_face_detector
from campro.models.faces.face_boxes import find_face_boxes
from campro.models.faces.yunet_features import detector_features

COLOUR_PHOTOS = 400
"""Photographs whose colours an enhancer may start from."""
ENOUGH = 1000
"""Faces in scenes that are enough to learn from; portraits only make up what is missing. They teach that what is near
and blurred is a face: without them more faces are found, and less is taken for one
(docs/decisions/2026-11-27-enhancer-portraits-and-training-length.md).
"""
FRESH = 50
"""Batches of samples, drawn after the last of training, that an enhancer may be finished with."""


@dataclass(frozen=True)
class EnhanceRecipe:
    """How an enhancer is trained (CamPro, NDSS 2024, V-D)."""

    enhancer: str = "fast"
    """Network, of the table of enhancers."""
    steps: int = 3000
    batch: int = 8
    size: int = 256
    """Side of a training piece in pixels."""
    faces_by: str = "yunet"
    """Face detector that says what to leave out, on the raw photograph."""
    seed: int = 0


def train_enhancer_for(
    profile: IspProfile, scenes: Sequence[Path], faces: Sequence[Path], recipe: EnhanceRecipe, out: Path, fabric: Fabric
) -> Path:
    """Train on raw photographs, in the run folder `out`; returns the path of the weights, enhancer.safetensors.

    Killed and started again it ends with the same weights, bit for bit on the CPU.
    """
    seed_everything(recipe.seed)
    inputs = {"profile": profile.digest, "photos": json_digest([file_sha256(photo) for photo in [*scenes, *faces]])}
    run = RunFolder.open(out, as_plain(recipe), inputs=inputs)
    detector = load_face_detector(recipe.faces_by)
    boxes = find_face_boxes(scenes, detector, cache_root())
    portraits = _spread(faces, ENOUGH - sum(map(len, boxes.values())))
    boxes |= find_face_boxes(portraits, detector, cache_root())
    camera, enhancer = Camera(profile), new_enhancer(recipe.enhancer)
    photos = _balanced(scenes, portraits)
    chosen = np.random.default_rng(recipe.seed).permutation(len(photos))[:COLOUR_PHOTOS]
    enhancer.prepare([photos[row] for row in chosen], camera, detector_features(detector))
    recolouring = enhancer.recolouring(profile)
    training_set = TrainingSet(
        [TrainingPhoto(photo, boxes[photo].numpy()) for photo in photos], camera, recolouring, recipe.size, recipe.batch
    )
    trained = train_enhancer(enhancer, training_set, run, fabric, recipe.steps, recipe.seed)
    fresh = [(recipe.seed, 0, recipe.steps + step) for step in range(min(recipe.steps, FRESH))]
    trained.finish(track(training_set.batches(fresh), "finish enhancer"))
    weights = out / "enhancer.safetensors"
    with replacing(weights) as part:
        save_model(trained, str(part), {"enhancer": recipe.enhancer, "profile": profile.digest})
    return weights


def _spread(photos: Sequence[Path], count: int) -> list[Path]:
    """So many of them, or all, evenly spread."""
    kept = min(max(count, 0), len(photos))
    return [photos[row * len(photos) // kept] for row in range(kept)]


def _balanced(scenes: Sequence[Path], portraits: Sequence[Path]) -> list[Path]:
    """Photographs of scenes, where they are fewer, are repeated until there are as many as portraits."""
    return [*scenes] * max(1, round(len(portraits) / len(scenes))) + [*portraits]


def load_trained(weights: Path) -> Enhancer:
    """The enhancer in a file of `train_enhancer_for`, ready for use."""
    try:
        with safe_open(weights, "pt") as file:
            enhancer = new_enhancer((file.metadata() or {})["enhancer"])
        load_model(enhancer, weights)
    except (SafetensorError, RuntimeError, KeyError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(weights), "weights of an enhancer", reason, "train it again") from error
    return enhancer.eval()

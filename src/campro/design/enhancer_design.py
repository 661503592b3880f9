"""Train an enhancer for a profile: collect photographs, detect the faces in them, train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
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

if TYPE_CHECKING:  # importing it takes seconds
    from lightning_fabric import Fabric

COLOUR_PHOTOS = 400
"""Photographs from whose colours the enhancer is initialised."""
FACES_NEEDED = 1000
"""Number of faces in the training photographs; portraits are added only up to it. Portraits teach the enhancer that
near and blurred objects are faces; without them it detects more faces and has fewer false detections
(docs/decisions/2026-11-27-enhancer-portraits-and-training-length.md).
"""
FINISH_BATCHES = 50
"""Largest number of batches, drawn after training, with which the enhancer is finished."""


@dataclass(frozen=True)
class EnhanceRecipe:
    """Hyper-parameters of an enhancer's training (CamPro, NDSS 2024, V-D)."""

    enhancer: str = "fast"
    """Network, a key of the table of enhancers."""
    steps: int = 3000
    batch: int = 8
    size: int = 256
    """Side of a training patch in pixels."""
    face_detector: str = "yunet"
    """Face detector that finds, in raw photographs, the regions to leave out."""
    seed: int = 0


def train_enhancer_for(
    profile: IspProfile, scenes: Sequence[Path], faces: Sequence[Path], recipe: EnhanceRecipe, out: Path, fabric: Fabric
) -> Path:
    """Train an enhancer on raw photographs in the run folder `out`.

    An interrupted run that is started again ends with the same weights, bit for bit on the CPU with
    the same number of threads.

    Args:
        profile: The profile whose captured pictures are enhanced.
        scenes: Photographs of scenes.
        faces: Portraits, used as far as the scenes have too few faces.
        recipe: Hyper-parameters.
        out: Run folder.
        fabric: Hardware.

    Returns:
        Path of the weights, enhancer.safetensors.

    Raises:
        CamproError: If a photograph cannot be read, or the run folder has another configuration.
    """
    seed_everything(recipe.seed)
    inputs = {"profile": profile.digest, "photos": json_digest([file_sha256(photo) for photo in [*scenes, *faces]])}
    detector = load_face_detector(recipe.face_detector)
    run = RunFolder.open(out, as_plain(recipe), inputs=inputs | {"face detector": detector.digest})
    boxes = find_face_boxes(scenes, detector, cache_root())
    portraits = _evenly_spaced(faces, FACES_NEEDED - sum(map(len, boxes.values())))
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
    fresh = [(recipe.seed, 0, recipe.steps + step) for step in range(min(recipe.steps, FINISH_BATCHES))]
    trained.finish(track(training_set.batches(fresh), "finish enhancer"))
    weights = out / "enhancer.safetensors"
    with replacing(weights) as part:
        save_model(trained, str(part), {"enhancer": recipe.enhancer, "profile": profile.digest})
    return weights


def _evenly_spaced(photos: Sequence[Path], count: int) -> list[Path]:
    """At most `count` photographs, evenly spaced in the list."""
    kept = min(max(count, 0), len(photos))
    return [photos[row * len(photos) // kept] for row in range(kept)]


def _balanced(scenes: Sequence[Path], portraits: Sequence[Path]) -> list[Path]:
    """All photographs; if there are fewer scenes than portraits, scenes are repeated to about the same number."""
    return [*scenes] * max(1, round(len(portraits) / len(scenes))) + [*portraits]


def load_trained(weights: Path) -> Enhancer:
    """Load an enhancer from a file of `train_enhancer_for`, in evaluation mode.

    Raises:
        CamproError: If the file holds no such weights.
    """
    try:
        with safe_open(weights, "pt") as file:
            enhancer = new_enhancer((file.metadata() or {})["enhancer"])
        load_model(enhancer, weights)
    except (SafetensorError, RuntimeError, KeyError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise CamproError(str(weights), "weights of an enhancer", reason, "train it again") from error
    return enhancer.eval()

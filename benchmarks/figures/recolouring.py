"""What an attacker recovers who owns such a camera and fits one 3D LUT to photographs taken with and without profile.

For `campro-default` also what one recovers who owns the enhancer: with its inputs, by the 3D LUT in its file, and by
all of its colours with nothing left out; with its outputs alone, by spreading out the levels that are left in the dark
(histogram equalisation of each channel).

python -m benchmarks.figures.recolouring PROFILE FACES PHOTOGRAPHS...    # a folder per person; folders of photographs
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from campro.core.catalogue import cache_root
from campro.core.chain import Chain
from campro.core.hashing import json_digest
from campro.core.images import list_images
from campro.core.lut3d import Lut3d, colour_pairs
from campro.core.types import ImageTransform, Rgb8
from campro.data import read_faces
from campro.enhance.runner import OnnxEnhancer, load_enhancer
from campro.evaluation import MATCHERS, NEAREST, EvaluationSet, identify
from campro.isp import RAW, Camera
from campro.models.faces import find_landmarks, load_embedder, load_face_detector
from campro.models.persons.recoloured import LutTransform

MODELS = ("mobilefacenet", "dlib-resnet29")
PHOTOGRAPHS, REPEATS, SEED = 300, 10, 0


def main(profile: str, faces: Path, folders: list[Path]) -> None:
    """Print rank-1 of raw, captured and recoloured pictures for each model, nearest neighbour."""
    camera = Camera(profile, "captured")
    photos = [photo for folder in folders for photo in list_images(folder)]
    chosen = np.random.default_rng(SEED).permutation(len(photos))[:PHOTOGRAPHS]
    table = Lut3d.fit(colour_pairs((photos[row] for row in chosen), camera)).requires_grad_(False)
    people = read_faces(faces)
    landmarks = find_landmarks(people.photos, load_face_detector("yunet"), cache_root())
    evaluation = EvaluationSet.of(people, landmarks, REPEATS, SEED)
    for model in MODELS:
        embedder = load_embedder(model)
        views: list[ImageTransform] = [RAW, camera, Chain("recoloured", camera, LutTransform(table)), *_owners(camera)]
        embeddings = {view.name: evaluation.embed(embedder, view) for view in views}
        subjects, trials = evaluation.subjects, evaluation.trials
        results = identify(embeddings[RAW.name], embeddings, subjects, trials, MATCHERS[NEAREST]())
        for view, result in results.items():
            low, high = result.interval(1)
            print(f"{model} {view}: rank-1 {result.mean(1):.4f} [{low:.4f}, {high:.4f}] of {result.identities} people")


class Equalise:
    """Histogram equalisation of each channel."""

    name, digest = "equalised", "equalised"

    def __call__(self, rgb: Rgb8) -> Rgb8:
        return np.dstack([cv2.equalizeHist(np.ascontiguousarray(rgb[..., channel])) for channel in range(3)])


class Part:
    """A part of what an enhancer does, as an `ImageTransform`."""

    def __init__(self, name: str, enhancer: OnnxEnhancer, part: Callable[[Rgb8], Rgb8]) -> None:
        self.name, self.digest, self._part = name, json_digest([name, enhancer.digest]), part

    def __call__(self, rgb: Rgb8) -> Rgb8:
        return self._part(rgb)


def _owners(camera: Camera) -> list[ImageTransform]:
    """What the owner of the enhancer makes of its inputs, and what others make of its outputs."""
    enhancer = load_enhancer()
    if enhancer.profile.digest != camera.profile.digest:
        return []
    enhanced = Chain("enhanced", camera, enhancer)
    return [
        Chain("by the enhancer's tables", camera, Part("tables", enhancer, lambda rgb: enhancer.recolouring(rgb).rgb)),
        Chain("by the enhancer's colours", camera, Part("with faces", enhancer, enhancer.without_mask)),
        enhanced,
        Chain("enhanced, equalised", enhanced, Equalise()),
    ]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [Path(folder) for folder in sys.argv[3:]])

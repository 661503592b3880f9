"""How much of skin a matrix may let through, and what more of the ISP would add: AP against rank-1, a row each.

Nothing that a profile is judged on is looked at: AP is on COCO train2017 and every second photograph of VOC 2012,
rank-1 on 150 people of CelebA, both as given and behind one 3D LUT that is fitted to other photographs.

CAMPRO_DATA=... python -m benchmarks.figures.skin_null_search
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from campro.core.catalogue import cache_root
from campro.core.chain import Chain
from campro.core.images import list_images
from campro.core.lut3d import Lut3d, colour_pairs
from campro.core.types import Embeddings, ImageTransform
from campro.data import read_faces, read_scenes
from campro.design.start import with_extra
from campro.evaluation import MATCHERS, NEAREST, EvaluationSet, identify
from campro.isp import RAW, Camera, Ccm, IspProfile, load_profile
from campro.metrics.detection import average_precision
from campro.models.faces import find_landmarks, load_embedder, load_face_detector
from campro.models.persons import load_detector
from campro.models.persons.detector_adaptation import detect_scenes
from campro.models.persons.recoloured import LutTransform, RecolouredDetector

DATA = Path(os.environ.get("CAMPRO_DATA", "."))
PEOPLE, REPEATS, SEED = 150, 10, 0
BORDERS = ((0.75, 0.70), (0.68, 0.60), (0.60, 0.50), (0.56, 0.46), (0.52, 0.41), (0.47, 0.35))
"""Linear green to red, and blue to red, below which the green and the blue channel are black."""
EXTRAS = ("bits=4", "bits=3", "defocus=1", "low-resolution=2", "chroma-blur=4")
"""On top of `campro-strong`, as for `campro design --isp`."""


class Measurement:
    """Photographs and models."""

    def __init__(self) -> None:
        voc = read_scenes(DATA / "scenes/voc2012/annotations.json").scenes
        self.scenes = [*read_scenes(DATA / "coco/annotations/instances_train2017.json").scenes, *voc[1::2]]
        others = (list_images(DATA / "scenes" / name)[:150] for name in ("flickr8k", "construction_ppe"))
        self.colours = [*(scene.path for scene in voc[::2][:50]), *(photo for some in others for photo in some)]
        people = read_faces(DATA / "celeba").first(PEOPLE)
        landmarks = find_landmarks(people.photos, load_face_detector("yunet"), cache_root())
        self.evaluation = EvaluationSet.of(people, landmarks, REPEATS, SEED)
        self.detector, self.embedder = load_detector("yolox-nano").eval(), load_embedder("mobilefacenet")

    def judge(self, view: ImageTransform) -> list[float]:
        """AP as given and behind the LUT, rank-1 as given and behind the LUT."""
        table = Lut3d.fit(colour_pairs(self.colours, view)).requires_grad_(False)
        detectors = (self.detector, RecolouredDetector(table, self.detector))
        aps = [average_precision(self.scenes, detect_scenes(one, self.scenes, view))[0] for one in detectors]
        embeddings = {one.name: self._embed(one) for one in (view, Chain("recoloured", view, LutTransform(table)))}
        subjects, trials = self.evaluation.subjects, self.evaluation.trials
        found = identify(self._embed(RAW), embeddings, subjects, trials, MATCHERS[NEAREST]())
        return [*aps, *(found[name].mean(1) for name in embeddings)]

    def _embed(self, view: ImageTransform) -> Embeddings:
        return self.evaluation.embed(self.embedder, view)


def skin_null(green: float, blue: float) -> IspProfile:
    """`campro-strong` with other borders; grey stays what it is in green and blue."""
    strong = load_profile("campro-strong")
    (red, *_) = next(block.matrix for block in strong.blocks if isinstance(block, Ccm))
    rows = (red, (-green / (1 - green), 1 / (1 - green), 0.0), (-blue / (1 - blue), 0.0, 1 / (1 - blue)))
    blocks = tuple(Ccm(rows) if isinstance(block, Ccm) else block for block in strong.blocks)
    return IspProfile(f"green from {green:g}, blue from {blue:g}", blocks)


def main() -> None:
    """Print the table, raw first."""
    measurement, strong = Measurement(), load_profile("campro-strong")
    profiles = [skin_null(*border) for border in BORDERS]
    profiles += [replace(with_extra(strong, extra), name=f"campro-strong, {extra}") for extra in EXTRAS]
    print("| profile | AP, % | behind a 3D LUT | rank-1, % | behind a 3D LUT |")
    print("|---" * 5 + "|")
    for view in (RAW, *(Camera(profile, profile.name) for profile in profiles)):
        figures = " | ".join(f"{100 * one:.1f}" for one in measurement.judge(view))
        print(f"| {view.name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()

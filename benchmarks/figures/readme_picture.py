"""Draw the first picture of the README: a photograph, what the protected camera gives, with persons found, and that
enhanced.

python -m benchmarks.figures.readme_picture
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from campro.core.catalogue import cache_root
from campro.core.images import to_tensor, write_image
from campro.core.types import Rgb8
from campro.data.embedded import embedded_scenes
from campro.data.photographs import PHOTOGRAPHS
from campro.enhance.runner import load_enhancer
from campro.isp import RAW, Camera
from campro.models.persons import TrainableDetector, load_detector
from campro.models.persons.detector_adaptation import adapt

OUT = Path(__file__).parents[2] / "docs" / "pictures" / "photo.png"
PORTRAITS = ("astronaut", "hopper")
SIDE = 300
SCORE = 0.25


def main() -> None:
    """Two public-domain portraits, raw above, captured in the middle, enhanced below."""
    enhancer, detector = load_enhancer(), load_detector("campro-person")
    rows = []
    camera = Camera("campro-default")
    adapted, _ = adapt(detector, embedded_scenes("train", cache_root()).scenes, camera, steps=0, seed=0)
    for view, finder in ((RAW, detector), (camera, adapted)):
        rows.append(np.hstack([_with_boxes(view(_square(PHOTOGRAPHS[name].read())), finder) for name in PORTRAITS]))
    rows.append(np.hstack([_square(enhancer(camera(PHOTOGRAPHS[name].read()))) for name in PORTRAITS]))
    write_image(OUT, np.vstack(rows))


def _square(rgb: Rgb8) -> Rgb8:
    side = min(rgb.shape[:2])
    return np.asarray(cv2.resize(rgb[:side, :side], (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def _with_boxes(rgb: Rgb8, detector: TrainableDetector) -> Rgb8:
    found = detector.detect(to_tensor(rgb))[0]
    drawn = rgb.copy()
    for box, score in zip(found.boxes.int().tolist(), found.scores.tolist()):
        if score >= SCORE:
            cv2.rectangle(drawn, box[:2], box[2:], (255, 140, 0), 3)
    return drawn


if __name__ == "__main__":
    main()

"""Measure where the landmarks of one scheme lie in crops that were aligned by the other: the mixed templates.

python -m benchmarks.figures.landmark_templates FACES        # a folder per person; CelebA for the figures in align.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from campro.core.images import read_image
from campro.core.progress import track
from campro.data import read_faces
from campro.models.faces.align import _ARCFACE, TEMPLATES, similarity
from campro.models.faces.face_detectors import load_face_detector
from campro.models.faces.landmarks import Points, main_face

EVERY = 10
"""One photograph in so many is enough."""


def main(folder: Path) -> None:
    """Print both mixed templates."""
    five, dlib = load_face_detector("yunet"), load_face_detector("dlib")
    arcface, chip = [], []
    for photo in track(read_faces(folder).photos[::EVERY], "faces"):
        rgb = read_image(photo)
        pair = [main_face(finder.detect(rgb), *rgb.shape[:2]) for finder in (five, dlib)]
        if pair[0] is None or pair[1] is None:
            continue
        arcface.append(moved(pair[1].points, similarity(pair[0].points, _ARCFACE)))
        chip.append(moved(pair[0].points, similarity(pair[1].points, TEMPLATES["dlib-150", "dlib"])))
    for name, points in (("dlib's points in arcface-112", arcface), ("five points in dlib-150", chip)):
        print(name, len(points), np.median(points, axis=0).round(2).tolist())


def moved(points: Points, matrix: np.ndarray) -> Points:
    """Points after an affine map."""
    return points @ matrix[:, :2].T + matrix[:, 2]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

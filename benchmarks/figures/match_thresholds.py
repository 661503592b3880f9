"""Measure, for each recogniser, the cosine above which the Compare tab of `campro serve` says "same person".

python -m benchmarks.figures.match_thresholds FACES --out src/campro/serve/match_thresholds.json   # LFW for the file

One pair per two people (their first photographs), faces found by dlib. The thresholds are figures of raw photographs;
no photograph or embedding is stored.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from campro.core.atomic_io import atomic_write
from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.data.faces import read_faces
from campro.isp.camera import RAW
from campro.metrics.open_set import fnmr_at, threshold_at
from campro.models.faces import embed_photos, find_landmarks, load_embedder, load_face_detector
from campro.models.faces.landmarks import Landmarks

FMR = 0.001
MODELS = ("dlib-resnet29", "mobilefacenet", "edgeface-xs", "mobilefacenet-cat")


def main(folder: Path, out: Path, people: int) -> None:
    """Write the table of the recognisers whose weights are on this machine."""
    pairs = [photos[:2] for photos in read_faces(folder).identities.values() if len(photos) > 1][:people]
    photos = [photo for pair in pairs for photo in pair]
    landmarks = find_landmarks(photos, load_face_detector("dlib"), cache_root())
    used = [pair for pair in pairs if all(photo in landmarks.found for photo in pair)]
    rows = {name: row for name in MODELS if (row := measure(name, used, landmarks))}
    atomic_write(out, json.dumps(rows, indent=1) + "\n")


def measure(name: str, pairs: list[tuple[Path, ...]], landmarks: Landmarks) -> dict[str, object] | None:
    """Threshold and FNMR of one recogniser; None where it is not on this machine."""
    try:
        embedder = load_embedder(name)
    except CamproError as error:
        print(error)
        return None
    first, second = (embed_photos(embedder, [pair[i] for pair in pairs], landmarks, RAW) for i in (0, 1))
    scores = first @ first.T
    impostors = scores[torch.triu(torch.ones_like(scores, dtype=torch.bool), 1)]
    threshold = threshold_at(impostors, FMR)
    row = {
        "threshold": round(threshold, 4),
        "fmr": FMR,
        "fnmr": round(fnmr_at((first * second).sum(1), impostors, FMR), 4),
        "people": len(pairs),
        "impostor_pairs": len(impostors),
        "data": "LFW, raw photographs, faces found by dlib",
        "weights_sha256": embedder.card.weights_sha256,
    }
    print(name, np.round(threshold, 4), row)
    return row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("faces", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, default=500)
    return parser


if __name__ == "__main__":
    options = _parser().parse_args()
    main(options.faces, options.out, options.people)

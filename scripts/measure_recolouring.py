"""What an attacker recovers who owns such a camera and fits one 3D LUT to photographs taken with and without profile.

python scripts/measure_recolouring.py PROFILE FACES PHOTOGRAPHS...    # a folder per person; folders of photographs
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from campro.core.catalogue import cache_root
from campro.core.chain import Chain
from campro.core.images import list_images
from campro.core.lut3d import Lut3d, colour_pairs
from campro.data import FaceSet, read_faces
from campro.faces import embed_photos, find_landmarks, load_embedder, load_face_detector
from campro.identify import MATCHERS, call_roll, draw_repeats, identify
from campro.isp import RAW, Camera
from campro.utility.recoloured import Recolour

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
    found = {name: tuple(p for p in own if p in landmarks.found) for name, own in people.identities.items()}
    roll = call_roll(FaceSet(people.name, people.root, {name: own for name, own in found.items() if own}))
    draws = draw_repeats(roll, REPEATS, SEED)
    for model in MODELS:
        embedder = load_embedder(model)
        views = (RAW, camera, Chain("recoloured", camera, Recolour(table)))
        rows = {view.name: embed_photos(embedder, roll.photos, landmarks, view) for view in views}
        for view, result in identify(rows[RAW.name], rows, roll.owner, draws, MATCHERS["nearest"]()).items():
            low, high = result.interval(1)
            print(f"{model} {view}: rank-1 {result.mean(1):.4f} [{low:.4f}, {high:.4f}] of {result.identities} people")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [Path(folder) for folder in sys.argv[3:]])

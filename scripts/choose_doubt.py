"""What the doubt that a fast enhancer blackens costs and gains: the table behind `DOUBT` of `campro.enhance.fast`.

On photographs that it was trained with, never on those that it is judged on.

python scripts/choose_doubt.py RUN/enhancer.safetensors PROFILE PHOTOGRAPHS...     # folders of photographs
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional as F

from campro.audit.pictures import LEFT_OUT
from campro.core.catalogue import cache_root
from campro.core.images import list_images, read_image, to_tensor
from campro.design.enhance import load_trained
from campro.enhance.fast import DOUBT, KEEP, SHARPNESS, FastEnhancer
from campro.enhance.fused import STRIDE
from campro.enhance.samples import background_of
from campro.faces import load_face_detector
from campro.faces.boxes import find_face_boxes
from campro.isp import Camera

DOUBTS = (0.0, 0.5, 1.0, 1.5, 2.0)
SIZES = ((20, 40), (40, 10**6))
"""Widths of faces in pixels, told apart."""
BLACK = 0.1
"""A pixel is black of which less than this is kept."""


def main(weights: Path, profile: str, folders: Sequence[Path]) -> None:
    """Print for each doubt: what of the rest is black, in % of the area, and how many faces of each size are."""
    enhancer, camera = load_trained(weights), Camera(profile)
    assert isinstance(enhancer, FastEnhancer)
    photos = [photo for folder in folders for photo in list_images(folder)]
    boxes = find_face_boxes(photos, load_face_detector("yunet"), cache_root())
    rest: dict[float, list[float]] = {doubt: [] for doubt in DOUBTS}
    faces: dict[tuple, list[bool]] = {(doubt, size): [] for doubt in DOUBTS for size in SIZES}
    for photo in photos:
        rgb = read_image(photo)
        logits = _logits(enhancer, to_tensor(camera(rgb)))
        background = background_of(boxes[photo], *rgb.shape[:2])
        for doubt in DOUBTS:
            black = SHARPNESS * (logits - doubt) < np.log(BLACK / (1 - BLACK))
            rest[doubt].append(float(black[background].mean()) if background.any() else 0.0)
            for x0, y0, x1, y1 in boxes[photo].round().int().tolist():
                for size in SIZES:
                    if size[0] <= x1 - x0 < size[1]:
                        face = black[max(0, y0) : y1, max(0, x0) : x1]
                        faces[doubt, size].append(bool(face.mean() >= LEFT_OUT))
    print(
        f"| {len(photos)} photographs: doubt | rest | {' | '.join(f'faces of {a} to {b} pixels' for a, b in SIZES)} |"
    )
    for doubt in DOUBTS:
        shares = [f"{100 * np.mean(faces[doubt, size]):.1f} % of {len(faces[doubt, size])}" for size in SIZES]
        print(f"| {doubt} | {100 * np.mean(rest[doubt]):.2f} % | {' | '.join(shares)} |")


@torch.no_grad()
def _logits(enhancer: FastEnhancer, captured: torch.Tensor) -> Float[np.ndarray, "H W"]:
    """Of the map before `finish`."""
    keep = enhancer.with_context(captured)[1][:, KEEP].clamp(1e-7, 1 - 1e-7)
    logits = F.interpolate(keep.logit() / SHARPNESS + DOUBT, scale_factor=STRIDE, mode="bilinear", align_corners=False)
    return logits[0, 0, : captured.shape[2], : captured.shape[3]].numpy()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [Path(folder) for folder in sys.argv[3:]])

"""What the doubt that a fast enhancer blackens costs and gains: the table behind `DOUBT` of `campro.enhance.fast`.

On photographs that it was trained with, never on those that it is judged on.

python scripts/choose_doubt.py FILE.onnx PHOTOGRAPHS...     # folders of photographs
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float
from torch import Tensor

from campro.audit.pictures import LEFT_OUT
from campro.core.catalogue import cache_root
from campro.core.images import list_images, read_image
from campro.core.progress import track
from campro.core.types import Rgb8
from campro.enhance.fast import DOUBT, SHARPNESS
from campro.enhance.fused import STRIDE
from campro.enhance.runner import load_enhancer
from campro.enhance.samples import background_of
from campro.faces import load_face_detector
from campro.faces.boxes import find_face_boxes
from campro.isp import Camera
from campro.metrics.quality import blackened

DOUBTS = (0.0, 0.5, 1.0, 1.5, 2.0)
SIZES = {"faces of 20 to 40 pixels": (20, 40), "larger ones": (40, np.inf)}
"""Widths of faces in pixels, told apart."""


def main(file: Path, folders: Sequence[Path]) -> None:
    """Print for each doubt the share of other area that is more black than not, and of faces that are left out."""
    enhancer = load_enhancer(file)
    camera = Camera(enhancer.profile)
    photos = [photo for folder in folders for photo in list_images(folder)]
    boxes = find_face_boxes(photos, load_face_detector("yunet"), cache_root())
    shares: dict[tuple[float, str], list[float]] = defaultdict(list)
    for photo in track(photos, "choose doubt"):
        captured = camera(read_image(photo))
        coloured = enhancer.colours(captured)
        context = enhancer.context(captured, coloured)
        for doubt in DOUBTS:
            kept = _with_doubt(context[0], doubt)
            picture = enhancer.compose(coloured, np.concatenate([kept[None], context[1:]]))
            for column, share in _shares(kept, picture, boxes[photo]):
                shares[doubt, column].append(share)
    columns = ["rest", *SIZES]
    print(f"| doubt, {len(photos)} photographs | {' | '.join(columns)} |\n|{'---|' * (1 + len(columns))}")
    for doubt in DOUBTS:
        cells = [f"{100 * np.mean(shares[doubt, name]):.1f} % of {len(shares[doubt, name])}" for name in columns]
        print(f"| {doubt} | {' | '.join(cells)} |")


def _shares(kept: Float[np.ndarray, "h w"], picture: Rgb8, faces: Float[Tensor, "N 4"]) -> Iterator[tuple[str, float]]:
    """Of other area what is more black than not, and of each face of those sizes whether it is left out."""
    height, width = picture.shape[:2]
    background = background_of(faces.numpy(), height, width)
    if background.any():
        full = cv2.resize(kept, None, fx=STRIDE, fy=STRIDE)[:height, :width]
        yield "rest", float((full < 0.5)[background].mean())
    for (x0, _, x1, _), black in zip(faces.tolist(), blackened(picture, faces)):
        for size, (low, high) in SIZES.items():
            if low <= x1 - x0 < high:
                yield size, float(black >= LEFT_OUT)


def _with_doubt(kept: Float[np.ndarray, "h w"], doubt: float) -> Float[np.ndarray, "h w"]:
    """The map as it would be had another doubt been chosen than `DOUBT`."""
    kept = kept.astype(np.float64).clip(1e-9, 1 - 1e-9)
    logits = np.log(kept / (1 - kept)) + SHARPNESS * (DOUBT - doubt)
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])

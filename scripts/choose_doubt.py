"""What the mask bias of a fast enhancer costs and gains: the table behind `MASK_BIAS` of `fast_enhancer.py`.

On photographs that it was trained with, never on those that it is judged on; as they are, or enlarged to LINES.

python scripts/choose_doubt.py FILE.onnx [--lines LINES] PHOTOGRAPHS...     # folders of photographs
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import tyro
from jaxtyping import Float
from torch import Tensor

from campro.audit.image_quality import LEFT_OUT
from campro.core.catalogue import cache_root
from campro.core.images import list_images, read_image
from campro.core.progress import track
from campro.core.types import Rgb8
from campro.enhance.composer import Composer
from campro.enhance.fast_enhancer import MASK_BIAS, MASK_GAIN
from campro.enhance.runner import OnnxEnhancer, load_enhancer
from campro.enhance.samples import background_of
from campro.isp import Camera
from campro.metrics.quality import black_shares
from campro.models.faces import load_face_detector
from campro.models.faces.face_boxes import find_face_boxes

DOUBTS = (0.0, 0.5, 1.0, 1.5, 2.0)
SIZES = {"faces of 20 to 40 pixels": (20, 40), "40 to 80": (40, 80), "larger ones": (80, np.inf)}
"""Widths of faces in pixels, told apart."""
NOISE = 1.5
"""Levels of noise in enlarged photographs, which would be smoother than those of any camera."""
SHOW = Composer(np.zeros((2, 2, 2), np.float32))
"""Corrects nothing: of a white picture it makes one of the map."""


def main(
    file: tyro.conf.Positional[Path],
    folders: tyro.conf.Positional[tuple[Path, ...]],
    lines: Annotated[int | None, tyro.conf.arg(help="enlarge photographs so far")] = None,
) -> None:
    """Print for each doubt the share of other area that is more black than not, and of faces that are left out."""
    enhancer, rng = load_enhancer(file), np.random.default_rng(0)
    camera = Camera(enhancer.profile)
    photos = [photo for folder in folders for photo in list_images(folder)]
    boxes = find_face_boxes(photos, load_face_detector("yunet"), cache_root())
    shares: dict[tuple[float, str], list[float]] = defaultdict(list)
    for photo in track(photos, "choose doubt"):
        raw, faces = read_image(photo), boxes[photo]
        if lines is not None:
            scale = lines / min(raw.shape[:2])
            raw, faces = _enlarged(raw, scale, rng), scale * faces
        for doubt, column, share in _judged(enhancer, camera(raw), faces):
            shares[doubt, column].append(share)
    columns = ["rest", *SIZES]
    print(f"| doubt, {len(photos)} photographs | {' | '.join(columns)} |\n|{'---|' * (1 + len(columns))}")
    for doubt in DOUBTS:
        cells = [f"{100 * np.mean(shares[doubt, name]):.1f} % of {len(shares[doubt, name])}" for name in columns]
        print(f"| {doubt} | {' | '.join(cells)} |")


def _judged(enhancer: OnnxEnhancer, captured: Rgb8, faces: Float[Tensor, "N 4"]) -> Iterator[tuple[float, str, float]]:
    """Every doubt with the shares of one picture."""
    recoloured = enhancer.recolouring(captured)
    cell_map = enhancer.cell_map(captured, recoloured)
    for doubt in DOUBTS:
        doubted = np.concatenate([_with_doubt(cell_map[:1], doubt), cell_map[1:]])
        kept = SHOW(
            np.full_like(captured, 255), recoloured.ambiguity, np.concatenate([doubted[:1], np.ones_like(cell_map[1:])])
        )
        for column, share in _shares(kept, enhancer.compose(captured, recoloured, doubted), faces):
            yield doubt, column, share


def _enlarged(rgb: Rgb8, scale: float, rng: np.random.Generator) -> Rgb8:
    large = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
    noise = NOISE * rng.standard_normal(large.shape, np.float32)
    return (large + noise + 0.5).clip(0, 255).astype(np.uint8)


def _shares(kept: Rgb8, picture: Rgb8, faces: Float[Tensor, "N 4"]) -> Iterator[tuple[str, float]]:
    """Of other area what is more black than not, and of each face of those sizes whether it is left out."""
    background = background_of(faces.numpy(), *picture.shape[:2])
    if background.any():
        yield "rest", float((kept[..., 0] < 128)[background].mean())
    for (x0, _, x1, _), black in zip(faces.tolist(), black_shares(picture, faces)):
        for size, (low, high) in SIZES.items():
            if low <= x1 - x0 < high:
                yield size, float(black >= LEFT_OUT)


def _with_doubt(kept: Float[np.ndarray, "1 h w"], doubt: float) -> Float[np.ndarray, "1 h w"]:
    """The map as it would be had another doubt been chosen than `MASK_BIAS`."""
    kept = kept.astype(np.float64).clip(1e-9, 1 - 1e-9)
    logits = np.log(kept / (1 - kept)) + MASK_GAIN * (MASK_BIAS - doubt)
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


if __name__ == "__main__":
    tyro.cli(main)

"""Masked faces and wrongly masked area of a fast enhancer, for several values of `MASK_BIAS` of `fast_enhancer.py`.

Use it with training photographs, never with those of an evaluation; optionally upscaled to LINES.

python -m benchmarks.figures.mask_bias FILE.onnx [--lines LINES] FOLDERS...     # folders of photographs
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

BIASES = (0.0, 0.5, 1.0, 1.5, 2.0)
SIZES = {"faces of 20 to 40 pixels": (20, 40), "40 to 80": (40, 80), "larger ones": (80, np.inf)}
"""Ranges of the width of faces in pixels."""
NOISE = 1.5
"""Standard deviation, in levels, of noise added to upscaled photographs, which are otherwise too smooth."""
SHOW_MASK = Composer(np.zeros((2, 2, 2), np.float32))
"""Without corrections: applied to a white picture it gives a picture of the mask."""


def main(
    file: tyro.conf.Positional[Path],
    folders: tyro.conf.Positional[tuple[Path, ...]],
    lines: Annotated[int | None, tyro.conf.arg(help="upscale photographs to this shorter side")] = None,
) -> None:
    """Print for each bias the share of background that is masked, and the share of faces that are masked."""
    enhancer, rng = load_enhancer(file, "black"), np.random.default_rng(0)
    camera = Camera(enhancer.profile)
    photos = [photo for folder in folders for photo in list_images(folder)]
    boxes = find_face_boxes(photos, load_face_detector("yunet"), cache_root())
    shares: dict[tuple[float, str], list[float]] = defaultdict(list)
    for photo in track(photos, "choose mask bias"):
        raw, faces = read_image(photo), boxes[photo]
        if lines is not None:
            scale = lines / min(raw.shape[:2])
            raw, faces = _upscaled(raw, scale, rng), scale * faces
        for bias, column, share in _results(enhancer, camera(raw), faces):
            shares[bias, column].append(share)
    columns = ["background", *SIZES]
    print(f"| bias, {len(photos)} photographs | {' | '.join(columns)} |\n|{'---|' * (1 + len(columns))}")
    for bias in BIASES:
        cells = [f"{100 * np.mean(shares[bias, name]):.1f} % of {len(shares[bias, name])}" for name in columns]
        print(f"| {bias} | {' | '.join(cells)} |")


def _results(enhancer: OnnxEnhancer, captured: Rgb8, faces: Float[Tensor, "N 4"]) -> Iterator[tuple[float, str, float]]:
    """For every bias the shares of one picture: (bias, column, share)."""
    recoloured = enhancer.recolouring(captured)
    cell_map = enhancer.cell_map(captured, recoloured)
    for bias in BIASES:
        biased = np.concatenate([_with_bias(cell_map[:1], bias), cell_map[1:]])
        mask = SHOW_MASK(
            np.full_like(captured, 255), recoloured.ambiguity, np.concatenate([biased[:1], np.ones_like(cell_map[1:])])
        )
        for column, share in _shares(mask, enhancer.compose(captured, recoloured, biased), faces):
            yield bias, column, share


def _upscaled(rgb: Rgb8, scale: float, rng: np.random.Generator) -> Rgb8:
    large = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
    noise = NOISE * rng.standard_normal(large.shape, np.float32)
    return (large + noise + 0.5).clip(0, 255).astype(np.uint8)


def _shares(mask: Rgb8, picture: Rgb8, faces: Float[Tensor, "N 4"]) -> Iterator[tuple[str, float]]:
    """The masked share of the background, and for each face of those sizes 1 if it is masked, else 0."""
    background = background_of(faces.numpy(), *picture.shape[:2])
    if background.any():
        yield "background", float((mask[..., 0] < 128)[background].mean())
    for (x0, _, x1, _), black in zip(faces.tolist(), black_shares(picture, faces)):
        for size, (low, high) in SIZES.items():
            if low <= x1 - x0 < high:
                yield size, float(black >= LEFT_OUT)


def _with_bias(mask: Float[np.ndarray, "1 h w"], bias: float) -> Float[np.ndarray, "1 h w"]:
    """The mask with another bias than `MASK_BIAS`."""
    mask = mask.astype(np.float64).clip(1e-9, 1 - 1e-9)
    logits = np.log(mask / (1 - mask)) + MASK_GAIN * (MASK_BIAS - bias)
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


if __name__ == "__main__":
    tyro.cli(main)

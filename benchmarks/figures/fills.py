"""Identification in enhanced pictures for each fill, also by attackers who own the enhancer's file.

"Mask known" is the best case of an attacker with the file: he has the exact mask of each picture, and inverts the
blending of picture and fill at every pixel of which the mask leaves anything.

python -m benchmarks.figures.fills FACES [MODEL ...]    # a folder per person; default: mobilefacenet
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from benchmarks.figures.recolouring import REPEATS, SEED, Equalise, Part
from campro.core.catalogue import cache_root
from campro.core.chain import Chain
from campro.core.types import ImageTransform, Rgb8
from campro.data import read_faces
from campro.enhance.fill_kernels import KEPT, MASKED
from campro.enhance.fill_names import BLACK, FILLS, SMOOTH
from campro.enhance.fills import insert
from campro.enhance.runner import OnnxEnhancer, load_enhancer
from campro.evaluation import MATCHERS, NEAREST, EvaluationSet, identify
from campro.inversion.cell_grid import CELL, downscale_factor, pixel_positions, upsampled_columns
from campro.isp import RAW, Camera
from campro.models.faces import find_landmarks, load_embedder, load_face_detector

FAINTEST = 0.02
"""Smallest part of a pixel's own colour from which it is computed; less is lost in rounding."""


def main(faces: Path, models: list[str]) -> None:
    """Print rank-1 for each model and view, nearest neighbour."""
    people = read_faces(faces)
    landmarks = find_landmarks(people.photos, load_face_detector("yunet"), cache_root())
    evaluation = EvaluationSet.of(people, landmarks, REPEATS, SEED)
    views: list[ImageTransform] = [RAW, *_views()]
    for model in models:
        embedder = load_embedder(model)
        embeddings = {view.name: evaluation.embed(embedder, view) for view in views}
        found = identify(embeddings[RAW.name], embeddings, evaluation.subjects, evaluation.trials, MATCHERS[NEAREST]())
        for name, result in found.items():
            low, high = (100 * bound for bound in result.interval(1))
            print(f"{model} {name}: rank-1 {100 * result.mean(1):.1f} [{low:.1f}, {high:.1f}] % of {result.identities}")


def _views() -> Iterator[ImageTransform]:
    camera, enhancer = Camera("campro-default", "captured"), load_enhancer()
    yield camera
    yield Chain("no mask (owner of file and captured picture)", camera, Part("whole", enhancer, enhancer.without_mask))
    for fill in FILLS:
        enhanced = Chain(fill, camera, enhancer.with_fill(fill))
        yield enhanced
        yield Chain(f"{fill}, equalised", enhanced, Equalise())
        if fill in (BLACK, SMOOTH):
            yield Chain(f"{fill}, mask known", camera, MaskKnown(enhancer.with_fill(fill)))


class MaskKnown:
    """Enhances, then inverts the blending at the mask's edge with the exact mask."""

    name = "mask known"

    def __init__(self, enhancer: OnnxEnhancer) -> None:
        self.digest, self._enhancer = f"mask known {FAINTEST} {enhancer.digest}", enhancer

    def __call__(self, rgb: Rgb8) -> Rgb8:
        enhanced = self._enhancer(rgb)
        cells = self._enhancer.cell_map(rgb, self._enhancer.recolouring(rgb))[0]
        mask = _by_pixel(cells, enhanced)
        own = enhanced.astype(np.float32)
        if self._enhancer.fill == BLACK:
            found = own / np.maximum(mask, FAINTEST)
        else:
            keep = np.clip((mask - MASKED) / (KEPT - MASKED), 0, 1)
            again = insert(SMOOTH, enhanced.copy(), cells).astype(np.float32)
            fill = (again - keep * own) / np.maximum(1 - keep, FAINTEST)
            found = np.where(keep > FAINTEST, (own - (1 - keep) * fill) / np.maximum(keep, FAINTEST), own)
            found = np.where(keep == 1, own, found)
        return np.asarray(found.round().clip(0, 255), np.uint8)


def _by_pixel(cells: Float32[np.ndarray, "h w"], rgb: Rgb8) -> Float32[np.ndarray, "H W 1"]:
    """The mask of each pixel."""
    side = CELL * downscale_factor(rgb)
    (tops, fractions), columns = (pixel_positions(pixels, count, side) for pixels, count in zip(rgb.shape, cells.shape))
    wide = upsampled_columns(np.ascontiguousarray(cells[None]), columns)[:, 0]
    below = wide[np.minimum(tops + 1, len(wide) - 1)]
    return (wide[tops] + (below - wide[tops]) * fractions[:, None])[..., None]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ["mobilefacenet"])

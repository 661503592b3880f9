"""How much enhanced video of a static scene flickers, next to the captured video that it is made from.

python -m benchmarks.figures.enhancer_flicker PROFILE PHOTOGRAPHS
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from campro.core.chain import Chain
from campro.core.images import list_images, read_image
from campro.core.types import ImageTransform, Rgb8
from campro.enhance.fill_names import FILLS
from campro.enhance.runner import OnnxEnhancer, load_enhancer
from campro.isp import RAW, Camera
from campro.metrics.quality import flicker

NOISE, FRAMES, SCENES, SEED = 2.0, 24, 20, 0
"""Noise of the scene before the profile, Gaussian, in levels; frames of each scene."""


def main(profile: str, photographs: Path) -> None:
    """Print the flicker in levels (standard deviation over time, RMS over pixels), of each view: mean over scenes."""
    camera, photos = Camera(profile, "captured"), list_images(photographs)[:SCENES]
    enhancer = load_enhancer(fill="black")
    views: dict[str, Callable[[], ImageTransform]] = {
        "raw": lambda: RAW,
        "captured": lambda: camera,
        "enhanced, each frame on its own": lambda: Chain("enhanced", camera, enhancer),
        **{f"enhanced, as video, {fill}": partial(_video, camera, enhancer.with_fill(fill)) for fill in FILLS},
    }
    for name, view in views.items():
        levels = [flicker(_film(read_image(photo), view())) for photo in photos]
        worst = max(levels)
        print(f"{name}: {np.mean(levels):.2f} levels over {len(levels)} scenes, at most {worst:.2f}", flush=True)


def _video(camera: Camera, enhancer: OnnxEnhancer) -> ImageTransform:
    return Chain("film", camera, enhancer.video())


def _film(scene: Rgb8, view: ImageTransform) -> Iterator[Rgb8]:
    rng = np.random.default_rng(SEED)
    for _ in range(FRAMES):
        noisy = scene + rng.normal(0, NOISE, scene.shape)
        yield view(noisy.round().clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

"""Train the fast enhancer that ships for `campro-default`, and write it as ONNX.

CAMPRO_DATA=... python scripts/train_enhancer.py [RUN_FOLDER] [fast|unet] [STEPS]
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from campro.core.device import make_fabric
from campro.core.images import list_images
from campro.design.enhance import EnhanceRecipe, load_trained, train_enhancer_for
from campro.enhance.export import export_onnx
from campro.enhance.runner import SHIPPED
from campro.isp import load_profile

PROFILE = "campro-default"
SCENES_PER_FACE = 20
"""Each of the few photographs of scenes counts as often as so many of the many close-up faces."""

LEARNING_RATES = {"fast": 1e-3, "unet": 3e-4}
"""The paper's for its network; the small one bears more."""


def main(out: Path, enhancer: str, steps: int) -> None:
    """Train on COCO train2017 and CelebA at hand."""
    data = Path(os.environ["CAMPRO_DATA"])
    photos = list_images(data / "coco" / "train2017") * SCENES_PER_FACE + list_images(data / "celeba")
    profile = load_profile(PROFILE)
    recipe = replace(EnhanceRecipe(), enhancer=enhancer, steps=steps, lr=LEARNING_RATES[enhancer])
    weights = train_enhancer_for(profile, photos, recipe, out, make_fabric("cpu", 1, "32-true", 1))
    target = SHIPPED if enhancer == "fast" else out / f"{enhancer}.onnx"
    export_onnx(load_trained(weights), target, profile.digest)
    print(target)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0] if given else "runs/enhancer"), *(given[1:2] or ["fast"]), *map(int, given[2:3] or [3000]))

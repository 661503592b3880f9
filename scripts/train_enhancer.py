"""Train the shipped fast enhancer for `campro-default`, or another one to compare it with, and export it to ONNX.

CAMPRO_DATA=... python scripts/train_enhancer.py RUN_FOLDER [fast|unet] [STEPS] [coco|all] [BATCH]
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from campro.core.device import make_fabric
from campro.core.images import list_images
from campro.design.enhancer_design import EnhanceRecipe, load_trained, train_enhancer_for
from campro.enhance.export import export_onnx
from campro.enhance.runner import SHIPPED
from campro.isp import load_profile

PROFILE = "campro-default"
PRECISIONS = {"fast": "32-true", "unet": "bf16-mixed"}


def main(out: Path, enhancer: str = "fast", steps: int = 12000, scenes: str = "all", batch: int = 8) -> None:
    """Train on COCO train2017 (`scenes` = "coco") or on all scenes ("all"); they contain enough faces.

    The fast enhancer of all scenes replaces the shipped file.
    """
    data = Path(os.environ["CAMPRO_DATA"])
    folders = [data / "coco" / "train2017", *([data / "scenes"] if scenes == "all" else [])]
    photos = [photo for folder in folders for photo in list_images(folder)]
    profile, recipe = load_profile(PROFILE), replace(EnhanceRecipe(), enhancer=enhancer, steps=steps, batch=batch)
    fabric = make_fabric(precision=PRECISIONS[enhancer])
    weights = train_enhancer_for(profile, photos, [], recipe, out, fabric)
    target = SHIPPED if (enhancer, scenes) == ("fast", "all") else out / f"{enhancer}.onnx"
    export_onnx(load_trained(weights), target, profile)
    print(target)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]), *given[1:2], *map(int, given[2:3]), *given[3:4], *map(int, given[4:5]))

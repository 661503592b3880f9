"""Train the shipped fast enhancer for `campro-default`, or another one to compare it with, and export it to ONNX.

CAMPRO_DATA=... python -m examples.train_enhancer RUN_FOLDER [fast|unet] [STEPS] [coco|all] [BATCH]
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

import tyro

from campro.core.device import make_fabric
from campro.core.images import list_images
from campro.design.enhancer_design import EnhanceRecipe, load_trained, train_enhancer_for
from campro.enhance.export import export_onnx
from campro.enhance.runner import SHIPPED
from campro.isp import load_profile

PROFILE = "campro-default"
PRECISIONS = {"fast": "32-true", "unet": "bf16-mixed"}


def main(
    out: tyro.conf.Positional[Path],
    enhancer: tyro.conf.Positional[Literal["fast", "unet"]] = "fast",
    steps: tyro.conf.Positional[int] = 12000,
    scenes: tyro.conf.Positional[Literal["coco", "all"]] = "all",
    batch: tyro.conf.Positional[int] = 8,
) -> None:
    """Train, and export to ONNX: `fast` on all scenes replaces the file in the package.

    Args:
        out: run folder; the same command resumes the training.
        enhancer: name in the table of enhancers.
        steps: training steps.
        scenes: photographs of COCO train2017 alone, or all scenes of the research data.
        batch: images per step.
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
    tyro.cli(main, description=__doc__)

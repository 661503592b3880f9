"""Trains the paper's enhancer, a U-Net without the inverse of the profile, and exports it as ONNX file.

python -m benchmarks.figures.unet_enhancer OUT.onnx PROFILE SCENES FACES STEPS

SCENES and FACES are folders of photographs. The run folder, OUT beside the file without its suffix, is resumed. The
file suits `campro paper --enhancers` (Table IV), and `campro attack --restorers`: an attacker who owns the enhancer.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lightning_fabric import Fabric

from campro.core.images import list_images
from campro.design.enhancer_design import EnhanceRecipe, load_trained, train_enhancer_for
from campro.enhance.export import export_onnx
from campro.isp import load_profile

SIZE, BATCH = 128, 4
"""Smaller patches and batches than the default, for two cores."""


def main(out: Path, profile: str, scenes: Path, faces: Path, steps: int) -> None:
    """Train for `steps` steps, and write the file."""
    recipe = EnhanceRecipe("unet", steps, BATCH, SIZE)
    fabric = Fabric(accelerator="cpu", devices=1)
    photos, portraits = (list_images(folder) for folder in (scenes, faces))
    weights = train_enhancer_for(load_profile(profile), photos, portraits, recipe, out.with_suffix(""), fabric)
    export_onnx(load_trained(weights), out, load_profile(profile))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))

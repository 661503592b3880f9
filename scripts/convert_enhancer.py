"""The map of a fast enhancer of before 2026-11-26 in today's network, which is told more than that one learned from.

Until one is trained that learns from it: what cells are like counts for nothing, and there is no tint. The map is the
same to the rounding of a bias. Tables are fitted as for training.

CAMPRO_DATA=... python scripts/convert_enhancer.py OLD.onnx NEW.onnx
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from campro.core.images import list_images
from campro.design.enhance import colour_photos
from campro.enhance.export import HALF, export_onnx, fold_norms
from campro.enhance.fast import KEEP, FastEnhancer
from campro.isp import Camera

PLACES = (
    (r"stem\.(\d)", r"stem.0.\1"),
    (r"down\.0\.0", "stem.1"),
    (r"down\.(\d)\.0", lambda found: f"shrink.{int(found[1]) - 1}"),
    (r"down\.(\d)\.(\d)", lambda found: f"levels.{found[1]}.{int(found[2]) - 1}"),
)
"""Where its layers are now."""


def main(old: Path, new: Path, profile: str = "campro-default") -> None:
    """Write the file."""
    data, camera, enhancer = Path(os.environ["CAMPRO_DATA"]), Camera(profile), FastEnhancer().eval()
    scenes = [photo for folder in (data / "coco" / "train2017", data / "scenes") for photo in list_images(folder)]
    enhancer.prepare(colour_photos(scenes, list_images(data / "celeba"), 0), camera)
    fold_norms(enhancer)
    weights = {entry.name: numpy_helper.to_array(entry) for entry in onnx.load(str(old)).graph.initializer}
    start = "enhancer.context_net."
    state = {_place(name[len(start) : -len(HALF)]): value for name, value in weights.items() if name.startswith(start)}
    _centre(state)
    for kind in ("weight", "bias"):
        head = np.zeros_like(state[f"head.{kind}"][:4])
        head[KEEP] = state[f"head.{kind}"][KEEP]
        state[f"head.{kind}"] = head
    state |= {
        name: np.zeros(value.shape) for name, value in enhancer.context_net.told.state_dict(prefix="told.").items()
    }
    enhancer.context_net.load_state_dict({name: torch.from_numpy(np.float32(value)) for name, value in state.items()})
    export_onnx(enhancer, new, camera.profile)


def _place(name: str) -> str:
    for old, new in PLACES:
        if re.match(old + r"\.", name):
            return re.sub(old, new, name, count=1)
    return name


def _centre(state: dict[str, np.ndarray]) -> None:
    """It was shown 2 x - 1; today's is shown x."""
    weight = state["stem.0.0.weight"].astype(np.float64)
    state["stem.0.0.weight"] = 2 * weight
    state["stem.0.0.bias"] = state["stem.0.0.bias"] - weight.sum((1, 2, 3))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

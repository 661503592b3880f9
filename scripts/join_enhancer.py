"""The map for faces of the enhancer that shipped before, with the colours of one trained since.

The two networks of a fast enhancer share nothing. Until both are trained in one run, the better of each ships: the map
for faces was trained by commit 677a6cd (`scripts/train_enhancer.py FOLDER fast 12000`) and shipped at c153037, whose
file this reads; it was made surer there.

python scripts/join_enhancer.py OLD.onnx TRAINED/enhancer.safetensors NEW.onnx
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file

from campro.enhance.export import HALF, export_onnx, fold_norms
from campro.enhance.fast import KEEP, FastEnhancer
from campro.isp import load_profile

OLD = "enhancer.context_net."
NEW = "keep_net."


def main(old: Path, trained: Path, new: Path, profile: str = "campro-default") -> None:
    """Write the file."""
    enhancer = FastEnhancer().eval()
    colours = {name: value for name, value in load_file(trained).items() if not name.startswith(NEW)}
    missing, _ = enhancer.load_state_dict(colours, strict=False)
    assert all(name.startswith(NEW) for name in missing)
    fold_norms(enhancer)
    enhancer.keep_net.load_state_dict(_map_of(onnx.load(str(old))))
    export_onnx(enhancer, new, load_profile(profile))


def _map_of(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """Its weights for faces by their names of today; what it was told of cells counted for nothing."""
    state = {}
    for weight in model.graph.initializer:
        name = weight.name.removeprefix(OLD).removesuffix(HALF)
        if weight.name.startswith(OLD) and not name.startswith("told."):
            value = numpy_helper.to_array(weight).astype(np.float32)
            value = value[KEEP] if name.startswith("head.") else value
            state[name if name.startswith("stem.") else f"draw.{name}"] = torch.from_numpy(value)
    return state


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))

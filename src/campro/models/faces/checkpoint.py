"""Read weight files of other people's making, and say in one line what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from campro.core.errors import CamproError

NESTS = ("net_state_dict", "state_dict", "model_state_dict", "model", "net")
"""Keys under which training scripts commonly keep the weights."""
REMEDY = "the file is damaged or of another model"


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Named tensors of a safetensors or torch file; nothing but tensors and plain values is ever unpickled.

    The weights may lie under one of `NESTS`, and data-parallel prefixes ("module.") are dropped.
    """
    try:
        content: dict[str, Any] = load_file(path) if path.suffix == ".safetensors" else _torch_file(path)
    except Exception as error:  # a damaged pickle or zip can raise anything
        line = str(error).strip().partition("\n")[0][:120] or type(error).__name__
        raise CamproError(str(path), "a weight file (torch or safetensors)", line, REMEDY) from error
    nest = next((content[key] for key in NESTS if isinstance(content.get(key), Mapping)), content)
    tensors = {name.removeprefix("module."): value for name, value in nest.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CamproError(str(path), "named tensors", f"only {', '.join(map(str, list(content)[:3]))}", REMEDY)
    return tensors


def load_into(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Fill the model; names and shapes must all agree, and every value must be finite."""
    own = model.state_dict()
    wrong = [f"{name} missing" for name in own if name not in tensors]
    wrong += [f"{name} unknown" for name in tensors if name not in own]
    wrong += [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in tensors and tensors[name].shape != own[name].shape
    ]
    wrong += [f"{name} not finite" for name, value in tensors.items() if not value.isfinite().all()]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise CamproError(str(path), f"weights of {type(model).__name__}", ", ".join(wrong[:3]) + more, REMEDY)
    model.load_state_dict({name: tensors[name] for name in own})


def _torch_file(path: Path) -> dict[str, Any]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping):
        raise ValueError(f"a {type(content).__name__} instead of named tensors")
    return dict(content)

"""Readers of published weight files; every error is one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from campro.core.errors import CamproError

NESTS = ("net_state_dict", "state_dict", "model_state_dict", "model", "net")
"""Keys under which training scripts commonly store the weights."""
REMEDY = "the file is damaged or of another model"


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Named tensors of a safetensors or torch file; only tensors and plain values are unpickled.

    The weights may be stored under one of `NESTS`; the prefix "module." of data-parallel training is removed.

    Raises:
        CamproError: if the file is missing, damaged or holds no named tensors.
    """
    try:
        content: dict[str, Any] = load_file(path) if path.suffix == ".safetensors" else _torch_file(path)
    except Exception as error:  # damaged files raise errors of many classes
        line = str(error).strip().partition("\n")[0][:120] or type(error).__name__
        raise CamproError(str(path), "a weight file (torch or safetensors)", line, REMEDY) from error
    nest = next((content[key] for key in NESTS if isinstance(content.get(key), Mapping)), content)
    tensors = {name.removeprefix("module."): value for name, value in nest.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CamproError(str(path), "named tensors", f"only {', '.join(map(str, list(content)[:3]))}", REMEDY)
    return tensors


def load_into(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load `tensors` into the model; `path` is the file they come from, for messages.

    Raises:
        CamproError: if a name or shape differs from that of the model, or a value is not finite.
    """
    state = model.state_dict()
    wrong = [f"{name} missing" for name in state if name not in tensors]
    wrong += [f"{name} unknown" for name in tensors if name not in state]
    wrong += [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(state[name].shape)}"
        for name in state
        if name in tensors and tensors[name].shape != state[name].shape
    ]
    wrong += [f"{name} not finite" for name, value in tensors.items() if not value.isfinite().all()]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise CamproError(str(path), f"weights of {type(model).__name__}", ", ".join(wrong[:3]) + more, REMEDY)
    model.load_state_dict({name: tensors[name] for name in state})


def _torch_file(path: Path) -> dict[str, Any]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping):
        raise ValueError(f"a {type(content).__name__} instead of named tensors")
    return dict(content)

"""ONNX files of networks that return their input: enhancers without the minute that an export takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import helper

from campro.enhance.file_names import ENHANCED, PICTURE, PROFILE
from campro.isp import load_profile


def write_identity(path: Path, outputs: Sequence[str], metadata: dict[str, str]) -> None:
    """A network from the input of enhancers to these outputs."""
    nodes = [helper.make_node("Identity", [PICTURE], [name]) for name in outputs]
    info = [helper.make_tensor_value_info(name, 1, [1, 3, "h", "w"]) for name in (PICTURE, *outputs)]
    model = helper.make_model(helper.make_graph(nodes, "g", info[:1], info[1:]))
    helper.set_model_props(model, metadata)
    onnx.save(model, str(path))


def identity_enhancer(path: Path) -> Path:
    """An enhancer of `campro-default` that is not fast; returns `path`."""
    write_identity(path, [ENHANCED], {PROFILE: load_profile("campro-default").to_json()})
    return path

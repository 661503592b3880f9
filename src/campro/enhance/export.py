"""Export of enhancers to ONNX files that accept pictures of any size; `campro.enhance.runner` runs them."""

from __future__ import annotations

import warnings
from base64 import b64encode
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from campro.core.atomic_io import replacing
from campro.core.extras import require
from campro.core.types import Images
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.fast_enhancer import FastEnhancer
from campro.enhance.file_names import CELL_MAP, ENHANCED, FEATURES, HALF, PADDED, PICTURE, PRIOR, PROFILE
from campro.isp import IspProfile

OPSET = 20
"""The first version with trilinear interpolation (GridSample of volumes), which 3D LUTs need."""


def export_onnx(enhancer: Enhancer, path: Path, profile: IspProfile) -> None:
    """Write an enhancer of pictures of that profile; needs the extra `train`.

    Batch norms are folded into their convolutions and weights are rounded to half precision, both in `enhancer` as
    well, so that the file, which is half as large, computes what `enhancer` does.
    The file of `fast` has three more outputs (CELL_MAP, PADDED, FEATURES), so that `campro.enhance.runner` can run
    only the networks, and the prior of raw colours.
    """
    require("onnxscript", "train", "ONNX export")
    _fold_norms(enhancer.eval())
    _round_to_half(enhancer)
    network = _WithCellMap(enhancer) if isinstance(enhancer, FastEnhancer) else enhancer
    outputs = [ENHANCED, CELL_MAP, PADDED, FEATURES] if isinstance(enhancer, FastEnhancer) else [ENHANCED]
    example = torch.rand(1, 3, 96, 160)
    sizes = {0: torch.export.Dim.AUTO, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the exporter's own code
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[PICTURE],
            output_names=outputs,
            dynamic_shapes=(sizes,),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _store_as_half(model.graph)
    _remove_source_paths(model.graph)
    metadata = {PROFILE: profile.to_json()}
    if isinstance(enhancer, FastEnhancer):
        metadata[PRIOR] = b64encode(enhancer.prior.half().numpy().tobytes()).decode()
    helper.set_model_props(model, metadata)
    with replacing(path) as part:
        onnx.save(model, part)


def _fold_norms(enhancer: Enhancer) -> None:
    """Fold batch norms before rounding: if the exporter folded them, PyTorch's rounded weights would differ."""
    for module in enhancer.modules():
        if isinstance(module, nn.Sequential):
            for place, (inner, norm) in enumerate(pairwise(module)):
                if isinstance(inner, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module[place], module[place + 1] = fuse_conv_bn_eval(inner, norm), nn.Identity()


@torch.no_grad()
def _round_to_half(enhancer: Enhancer) -> None:
    for parameter in enhancer.parameters():
        parameter.copy_(parameter.half().float())


def _store_as_half(graph: onnx.GraphProto) -> None:
    """Store float weights as float16, each followed by a cast, which runtimes compute once on loading."""
    casts = []
    for weight in graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT:
            half = numpy_helper.to_array(weight).astype(np.float16)
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(half, name + HALF))
            casts.append(helper.make_node("Cast", [name + HALF], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _remove_source_paths(graph: onnx.GraphProto) -> None:
    """Remove the source file and line that the exporter stores with every node: a quarter of the file, and private."""
    for part in (graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")


class _WithCellMap(nn.Module):
    """`FastEnhancer` whose outputs include the cell map and the inputs of its networks."""

    def __init__(self, enhancer: FastEnhancer) -> None:
        super().__init__()
        self.enhancer = enhancer

    def forward(self, captured: Images) -> tuple[torch.Tensor, ...]:
        return self.enhancer.with_cell_map(captured)

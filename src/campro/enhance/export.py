"""Enhancers as ONNX files of any picture size, for whoever runs them without PyTorch, ourselves included."""

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
from campro.core.types import Images
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.fast_enhancer import FastEnhancer
from campro.isp import IspProfile

OPSET = 20
"""The first with interpolation in volumes, which 3D LUTs need."""
PICTURE, ENHANCED, CONTEXT, SEEN, TOLD = "captured", "enhanced", "context", "seen", "told"
PROFILE, PRIOR = "profile", "prior"
HALF = "/half"
TABLE, CORRECTIONS = (f"enhancer.{name}.values{HALF}" for name in ("table", "corrections"))
SPREAD = "enhancer.spread"
"""Names in the file: the input (B, 3, H, W) in [0, 1], the output of that shape, the small map of `fast` and what it is
drawn from, the notes that hold the profile and how likely raw colours are, the end of a weight's name, and the three
tables of `fast`."""


def export_onnx(enhancer: Enhancer, path: Path, profile: IspProfile) -> None:
    """Write an enhancer for that profile; needs the package onnxscript.

    Norms are folded into their convolutions and weights are rounded to half precision, in `enhancer` too, and stored
    so: the file is half as large.
    The file of `fast` has three more outputs, the map at an eighth of the size and the two things that it is drawn
    from, and notes how likely raw colours are (base64 of half floats): `campro.enhance.runner` makes more of them.
    """
    _fold_norms(enhancer.eval())
    _round_to_half(enhancer)
    network = _WithContext(enhancer) if isinstance(enhancer, FastEnhancer) else enhancer
    outputs = [ENHANCED, CONTEXT, SEEN, TOLD] if isinstance(enhancer, FastEnhancer) else [ENHANCED]
    example = torch.rand(1, 3, 96, 160)
    sizes = {0: torch.export.Dim.AUTO, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about itself
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
    _forget_sources(model.graph)
    notes = {PROFILE: profile.to_json()}
    if isinstance(enhancer, FastEnhancer):
        notes[PRIOR] = b64encode(enhancer.prior.half().numpy().tobytes()).decode()
    helper.set_model_props(model, notes)
    with replacing(path) as part:
        onnx.save(model, part)


def _fold_norms(enhancer: Enhancer) -> None:
    """Before rounding: what the exporter folds by itself would be rounded otherwise than in PyTorch."""
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
    """Keep float weights as float16 with a cast behind each, which runtimes work out once when they load the file."""
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


def _forget_sources(graph: onnx.GraphProto) -> None:
    """The exporter notes at every node from which line of which file it came: a quarter of the file, and private."""
    for part in (graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")


class _WithContext(nn.Module):
    """`FastEnhancer` that also hands out its small map and what that is drawn from."""

    def __init__(self, enhancer: FastEnhancer) -> None:
        super().__init__()
        self.enhancer = enhancer

    def forward(self, captured: Images) -> tuple[torch.Tensor, ...]:
        return self.enhancer.with_context(captured)

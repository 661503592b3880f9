"""Exported enhancers that several tests share."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch.nn import functional as F

from campro.enhance.enhancer_base import Enhancer
from campro.enhance.enhancers import new_enhancer
from campro.enhance.export import export_onnx
from campro.isp import load_profile


class Exported(NamedTuple):
    """Files of untrained enhancers of `campro-default`, and the networks that they were exported from, by name."""

    files: dict
    networks: dict[str, Enhancer]


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A fast enhancer with random tables and batch norms that are not identities, and a U-Net."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("onnx")
    fast = new_enhancer("fast")
    fast.lut.values.data.uniform_(0, 1)
    residual_lut = torch.empty(1, 1, 4, 4, 4).uniform_(-0.1, 0.1)
    fast.ambiguity.random_(0, 64)
    fast.residual_lut.values.data = F.interpolate(residual_lut, (33, 33, 33), mode="trilinear", align_corners=True)[0]
    fast.tint_net.body.head.weight.data.uniform_(-0.1, 0.1)
    fast(torch.rand(4, 3, 128, 128))
    networks = {"fast": fast.eval(), "unet": new_enhancer("unet").eval()}
    files = {name: folder / f"{name}.onnx" for name in networks}
    for name, enhancer in networks.items():
        export_onnx(enhancer, files[name], load_profile("campro-default"))
    return Exported(files, networks)

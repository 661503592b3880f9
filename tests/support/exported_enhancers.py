"""ONNX files of untrained enhancers of `campro-default`; all tests and workers share them: tracing is slow."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional as F

from campro.enhance.enhancer_base import Enhancer
from campro.enhance.enhancers import new_enhancer
from campro.enhance.export import export_onnx
from campro.enhance.fast_enhancer import FastEnhancer
from campro.isp import load_profile


class Exported(NamedTuple):
    """A file, and the network that it was exported from."""

    file: Path
    network: Enhancer


class ExportedEnhancers:
    """Enhancers by their names; each is exported when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._made = folder, {}

    def __getitem__(self, name: str) -> Exported:
        if name not in self._made:
            file = self._folder / f"{name}.onnx"
            weights = file.with_suffix(".pt")  # the exporting process rounds otherwise than the next one
            with _alone(file.with_suffix(".lock")):
                if not weights.exists():
                    network = _untrained(name)
                    export_onnx(network, file, load_profile("campro-default"))
                    torch.save(network, weights)
            self._made[name] = Exported(file, torch.load(weights, weights_only=False))
        return self._made[name]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other worker process is in this block."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _untrained(name: str) -> Enhancer:
    torch.manual_seed(0)
    network = new_enhancer(name)
    if isinstance(network, FastEnhancer):
        _randomise(network)
    return network.eval()


def _randomise(fast: FastEnhancer) -> None:
    """Random tables, and batch norms that are not identities."""
    fast.lut.values.data.uniform_(0, 1)
    residual_lut = torch.empty(1, 1, 4, 4, 4).uniform_(-0.1, 0.1)
    fast.ambiguity.random_(0, 64)
    fast.residual_lut.values.data = F.interpolate(residual_lut, (33, 33, 33), mode="trilinear", align_corners=True)[0]
    fast.tint_net.body.head.weight.data.uniform_(-0.1, 0.1)
    fast(torch.rand(4, 3, 128, 128))

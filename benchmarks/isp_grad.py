"""Forward and backward through the pipeline: fused against op by op, by `python -m benchmarks.isp_grad`."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import torch
from torch import Tensor

from benchmarks.common import in_turns, summary, write
from campro.core.types import Images
from campro.isp import functional, pipeline

SIZE = (8, 3, 416, 416)


def op_by_op(images: Images, pipe: torch.nn.Module) -> Tensor:
    """The blocks as functions, autograd keeping what each needs."""
    _, ccm, lut, _ = pipe.blocks  # type: ignore[misc]
    x = functional.apply_ccm(functional.degamma(images), ccm.matrix.float(), ccm.offsets.float())
    return functional.quantise(functional.apply_lut(x, lut.values.float(), lut.knots.float()))


def step(way: str, images: Images) -> None:
    """One forward and backward pass; gradients reach the images and the parameters."""
    pipe = pipeline("negative")
    images = images.detach().requires_grad_(True)
    (pipe(images) if way == "fused" else op_by_op(images, pipe)).sum().backward()


def peak_mib(way: str) -> float:
    """How much a step raises the peak memory of a process that has done everything else already."""
    code = (
        "import resource, torch; from benchmarks import isp_grad as g;"
        "g.step('fused', torch.rand(1, 3, 32, 32)); g.step('naive', torch.rand(1, 3, 32, 32));"
        f"x = torch.rand(*g.SIZE); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; g.step({way!r}, x);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 1024


def main() -> None:
    """Measure and write."""
    images = torch.rand(*SIZE)
    ways = {way: lambda way=way: step(way, images) for way in ("fused", "op by op")}
    memory = {way: round(peak_mib(way), 1) for way in ("fused", "op by op")}
    results: dict[str, Any] = {"time": summary(in_turns(ways), "fused"), "peak_mib": memory}
    results["memory_ratio"] = round(memory["fused"] / memory["op by op"], 3)
    write("isp_grad", results)


if __name__ == "__main__":
    assert resource.getrusage(resource.RUSAGE_SELF)  # memory is measured by the operating system
    main()

"""Forward and backward through the pipeline: fused against op by op, as it is and compiled by PyTorch.

By `python -m benchmarks.isp_grad`; `torch.compile` needs a C++ compiler.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.common import in_turns, summary, write
from campro.core.types import Images
from campro.isp import functional, pipeline

SIZE = (8, 3, 416, 416)


def op_by_op(images: Images, matrix: Tensor, offsets: Tensor, values: Tensor, knots: Tensor) -> Tensor:
    """The blocks as functions; autograd stores what each needs."""
    x = functional.apply_ccm(functional.degamma(images), matrix, offsets)
    return functional.quantise(functional.apply_lut(x, values, knots))


compiled = torch.compile(op_by_op, dynamic=False)
WAYS = ("fused", "op by op", "op by op, torch.compile")


def step(way: str, images: Images) -> Tensor:
    """One forward and backward pass; gradients reach the images and the parameters; returns that of the images."""
    pipe: Any = pipeline("negative")
    images = images.detach().requires_grad_(True)
    if way == "fused":
        out = pipe(images)
    else:
        _, ccm, lut, _ = pipe.blocks
        run = compiled if way == WAYS[2] else op_by_op
        out = run(images, ccm.matrix.float(), ccm.offsets.float(), lut.values.float(), lut.knots.float())
    out.sum().backward()
    assert images.grad is not None
    return images.grad


def peak_mib(way: str) -> float:
    """How much a step raises the peak memory of a process that has done everything else already.

    VmHWM, since `ru_maxrss` of a new process begins with the peak of the one that started it.
    """
    code = (
        "import torch; from benchmarks import isp_grad as g;"
        "g.step('fused', torch.rand(1, 3, 32, 32)); g.step('op by op', torch.rand(1, 3, 32, 32));"
        f"x = torch.rand(*g.SIZE); before = g.high_water_kib(); g.step({way!r}, x);"
        "print(g.high_water_kib() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 1024


def high_water_kib() -> int:
    """Peak memory of this process so far."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


def main() -> None:
    """Measure and write."""
    images = torch.rand(*SIZE)
    for way in WAYS[1:]:
        torch.testing.assert_close(step(way, images), step("fused", images), rtol=1e-3, atol=1e-3)
    memory = {way: round(peak_mib(way), 1) for way in WAYS[:2]}  # compilation itself needs memory
    results: dict[str, Any] = {
        "time": summary(in_turns({way: partial(step, way, images) for way in WAYS}), "fused"),
        "peak_mib": memory,
    }
    results["memory_ratio"] = round(memory["fused"] / memory["op by op"], 3)
    write("isp_grad", results)


if __name__ == "__main__":
    main()

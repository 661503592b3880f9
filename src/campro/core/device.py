"""The choice of hardware: one CPU, one GPU or many, by the same code."""

from __future__ import annotations

import ctypes
import os
import sys

import torch
from lightning_fabric import Fabric
from lightning_fabric import seed_everything as _seed_all

from campro.core.errors import CamproError

MALLOPT = (-1, -2, -3)
"""M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD of glibc's malloc.h."""
KEPT_BYTES = 1 << 29
SPINS = 20_000


def make_fabric(
    accelerator: str = "auto", devices: int | str = 1, precision: str = "32-true", nodes: int = 1
) -> Fabric:
    """A launched Fabric; with several devices the command is started once more for each further one.

    `accelerator` is "auto", "cpu", "cuda", "mps"; `devices` a count or "auto" for all; `precision` as in Fabric:
    "32-true", "bf16-mixed", "16-mixed". Hardware that is not there is refused, never silently replaced.
    """
    retain_freed_memory()
    asked = f"{devices} x {accelerator} in {precision} on {nodes} node(s)"
    try:
        fabric = Fabric(accelerator=accelerator, devices=devices, precision=precision, num_nodes=nodes)  # type: ignore[arg-type]
    except Exception as error:  # Fabric has its own error classes for each wrong choice
        remedy = f"choose --accelerator cpu --devices 1, or what this machine has ({error})"
        raise CamproError("make_fabric", "hardware that is there", asked, remedy) from error
    fabric.launch()
    return fabric


def best_device() -> torch.device:
    """A GPU where there is one, else the CPU; for what works by itself on either."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_of(network: torch.nn.Module) -> torch.device:
    """Where a network is; the CPU for one without weights, as those from files of other runtimes are."""
    return next((weight.device for weight in network.parameters()), torch.device("cpu"))


def cpu_count() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def retain_freed_memory() -> None:
    """Let the C library keep freed memory for the next array; training on a CPU is up to 1.6 times as fast.

    glibc hands large blocks back to the system at once, and gets them anew, cleared page by page, a moment later.
    Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter in MALLOPT:
            mallopt(parameter, KEPT_BYTES)


def disable_busy_waiting() -> None:
    """Let numba's threads give their cores up at once when their work is done, if they have not started yet.

    Kernels and networks by turns then take a twelfth less: GNU's OpenMP waits for more work busily, for longer than a
    network needs to start. It reads this when it is loaded, at the first parallel kernel. A setting of the user stays.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))


def native_bfloat16(wanted: bool = True) -> torch.autocast:
    """Context in which networks run in bfloat16 if `wanted` and the processor multiplies it natively, else as they are.

    Training on a CPU is then up to twice as fast; weights and gradients stay float32.
    """
    asks = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return torch.autocast("cpu", torch.bfloat16, enabled=wanted and asks is not None and asks())


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch on all devices, and make cuDNN choose the same kernels every time."""
    if not 0 <= seed < 2**32:
        raise CamproError("seed_everything", "a seed in [0, 2^32)", str(seed))
    _seed_all(seed, verbose=False)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False

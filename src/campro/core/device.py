"""The choice of hardware, settings that make CPUs faster, and seeds."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING

from campro.core.errors import CamproError

if TYPE_CHECKING:  # below imported where they are used: that takes seconds and 100 MB
    import torch
    from lightning_fabric import Fabric

MALLOPT = (-1, -2, -3)
"""M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD of glibc's malloc.h."""
RETAINED_BYTES = 1 << 29
"""Freed memory that malloc retains, and the size from which on it uses mmap."""
SPIN_COUNT = 20_000
"""Iterations for which idle threads of GNU's OpenMP wait actively."""


def make_fabric(
    accelerator: str = "auto", devices: int | str = 1, precision: str = "32-true", nodes: int = 1
) -> Fabric:
    """A launched Fabric; with several devices the command runs once per device.

    Args:
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: a count, or "auto" for all.
        precision: as in Fabric: "32-true", "bf16-mixed" or "16-mixed".
        nodes: number of machines.

    Raises:
        CamproError: if this machine does not have the hardware; it is never replaced silently.
    """
    from lightning_fabric import Fabric

    retain_freed_memory()
    requested = f"{devices} x {accelerator} in {precision} on {nodes} node(s)"
    try:
        fabric = Fabric(accelerator=accelerator, devices=devices, precision=precision, num_nodes=nodes)  # type: ignore[arg-type]
    except Exception as error:  # Fabric raises errors of many classes
        remedy = f"choose --accelerator cpu --devices 1, or what this machine has ({error})"
        raise CamproError("make_fabric", "hardware that is present", requested, remedy) from error
    fabric.launch()
    return fabric


def best_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_of(network: torch.nn.Module) -> torch.device:
    """The device of a network's weights; the CPU if it has no torch weights (ONNX, for example)."""
    import torch

    return next((weight.device for weight in network.parameters()), torch.device("cpu"))


def cpu_count() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def retain_freed_memory() -> None:
    """Configure glibc's malloc to retain freed memory; training on a CPU is up to 1.6 times as fast.

    By default glibc returns large blocks to the system at once, and the system clears them page by page when they are
    allocated again. Other C libraries are not changed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter in MALLOPT:
            mallopt(parameter, RETAINED_BYTES)


def disable_busy_waiting() -> None:
    """Limit the active waiting of GNU's OpenMP, the threads of numba, unless the user has set GOMP_SPINCOUNT.

    Idle threads otherwise occupy cores that a network needs next; alternating kernels and networks then take 8 % less
    time. OpenMP reads the variable when it is loaded, at the first parallel kernel: call this before.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPIN_COUNT))


def native_bfloat16(enabled: bool = True) -> torch.autocast:
    """Context in which networks compute in bfloat16 on a CPU, if `enabled` and the processor supports it natively.

    Training on a CPU is then up to twice as fast; weights and gradients stay float32.
    """
    import torch

    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return torch.autocast("cpu", torch.bfloat16, enabled=enabled and supported is not None and supported())


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch on all devices, and make the choice of cuDNN kernels deterministic.

    Raises:
        CamproError: if the seed is not in [0, 2^32).
    """
    if not 0 <= seed < 2**32:
        raise CamproError("seed_everything", "a seed in [0, 2^32)", str(seed))
    import torch
    from lightning_fabric import seed_everything as seed_all

    seed_all(seed, verbose=False)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False

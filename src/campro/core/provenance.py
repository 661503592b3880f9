"""Where a number comes from: the code, the versions, the machine and the inputs that made it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch


def stamp(inputs: Mapping[str, str]) -> dict[str, object]:
    """Commit, versions, machine and the SHA-256 of the inputs; stands beside every reported figure."""
    return {
        "commit": source_commit(),
        "campro": _campro_version(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "processor": _processor(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "inputs_sha256": dict(inputs),
    }


@cache
def source_commit() -> str:
    """`git describe --always --dirty` of the source tree that holds this file; "unknown" outside one."""
    here = Path(__file__)
    # A package installed inside somebody else's checkout is not tracked there: that commit would be a lie.
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        return "unknown"
    return _git(here.parent, "describe", "--always", "--dirty") or "unknown"


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _campro_version() -> str:
    try:
        return version("campro")
    except PackageNotFoundError:
        return "unknown"


def _processor() -> str:
    """The processor's marketing name on Linux, else the architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()

"""Where a number comes from: the commit, the library versions and the machine that made it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

LIBRARIES = ("torchvision", "numpy", "numba", "onnxruntime", "opencv-python-headless", "pillow", "ai-edge-litert")
"""Libraries, beside torch, on whose versions figures may depend."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Origin:
    """What made a result."""

    commit: str
    """Abbreviated hash of the source tree, "unknown" for an installed package without one."""
    dirty: bool
    """Whether the source tree had changes that were not committed: the commit alone does not reproduce the result."""
    campro: str
    python: str
    libraries: dict[str, str]
    """Name to version."""
    platform: str
    processor: str
    device: str
    """Name of the GPU, or "cpu"."""

    @property
    def label(self) -> str:
        """The commit, marked where the tree had uncommitted changes."""
        return f"{self.commit} with uncommitted changes" if self.dirty else self.commit

    @property
    def machine(self) -> str:
        """Processor, device and platform in one line."""
        return f"{self.processor}, {self.device}, {self.platform}"


@cache
def current_origin() -> Origin:
    """The origin of results that this process makes."""
    commit = source_commit()
    return Origin(
        commit=commit.removesuffix("-dirty"),
        dirty=commit.endswith("-dirty"),
        campro=_version("campro"),
        python=platform.python_version(),
        libraries={"torch": str(torch.__version__)} | {name: _version(name) for name in LIBRARIES},
        platform=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        processor=_processor(),
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    )


@cache
def source_commit() -> str:
    """The same as `git describe --always --dirty` of the tree that holds this file; "unknown" outside one.

    That command itself would write the tree's index.
    """
    here = Path(__file__)
    # A package installed inside somebody else's checkout is not tracked there: that commit would be wrong.
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        return UNKNOWN
    commit = _git(here.parent, "describe", "--always")
    changed = _git(here.parent, "status", "--porcelain", "--untracked-files=no", ":/")
    return f"{commit}-dirty" if commit and changed else commit or UNKNOWN


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        # Without optional locks `git status` compares files, but does not write the index.
        call = ["git", "--no-optional-locks", *arguments]
        done = subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return UNKNOWN


def _processor() -> str:
    """The processor's marketing name on Linux, else the architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()

"""What a deployment target is: a camera platform, what it can hold, and the files that its own software loads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from campro.cameras.camera_limits import find_camera
from campro.core.errors import CamproError
from campro.isp.limits import Limits
from campro.isp.lookup import colour_table
from campro.isp.profile import IspProfile

Files = dict[str, str]
"""Name to text of what a target writes."""


class DeployTarget(ABC):
    """One camera platform."""

    name: str
    title: str
    """In words, for lists."""
    page: str
    """Which of deploy/pages says how to install, lock down and check."""
    base: str = ""
    """What `--base` must be; empty for targets that need none."""

    @property
    def limits(self) -> Limits:
        """What the camera can hold."""
        return find_camera(self.name)

    @abstractmethod
    def write(self, profile: IspProfile, base: str) -> Files:
        """The files for a profile that the camera can hold, from the text of the camera's own file.

        Raises:
            CamproError: for a base that is not the platform's, or numbers that leave the camera's range in it.
        """

    @abstractmethod
    def read(self, files: Files, base: str) -> IspProfile:
        """The profile in files that `write` wrote from that base, as the camera rounds it."""

    def read_base(self, path: Path | None) -> str:
        """The text of the camera's own file.

        Raises:
            CamproError: where one is needed and missing or unreadable, or given and not needed.
        """
        if not self.base:
            if path is not None:
                raise CamproError(f"deploy --target {self.name}", "no --base", str(path), "leave it out")
            return ""
        if path is None:
            raise CamproError(f"deploy --target {self.name}", f"--base FILE, {self.base}", "none")
        try:
            return path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            got = getattr(error, "strerror", None) or "not text"
            raise CamproError(str(path), self.base, got) from error


@dataclass(frozen=True)
class Difference:
    """How far two profiles are apart over all 2^24 colours, in levels of 255."""

    largest: int
    mean: float
    """Over colours and channels."""


def difference(one: IspProfile, other: IspProfile) -> Difference:
    """Compare what two point-wise profiles make of every colour."""
    apart = [np.abs(a.astype(np.int16) - b) for a, b in zip(_channels(one), _channels(other))]
    return Difference(int(max(channel.max() for channel in apart)), float(np.mean([c.mean() for c in apart])))


def _channels(profile: IspProfile) -> list[np.ndarray]:
    table = colour_table(profile.blocks)
    return [(table >> shift & 255).astype(np.int16) for shift in (16, 8, 0)]

"""Interface of a target camera: what its hardware can hold of a profile, and the files that its own software loads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from jaxtyping import Float

from campro.cameras.feedback_loop import Statistics
from campro.core.errors import CamproError
from campro.isp.camera_settings import description, settings_of
from campro.isp.limits import Limits
from campro.isp.profile import Ccm, IspProfile

Files = dict[str, str]
"""File name -> text, as a camera writes and reads them."""


STREAM: frozenset[str] = frozenset({"scaler", "low_resolution", "jpeg", "h264", "chroma_subsampling"})
"""Blocks that an application sets for the stream of a camera, in whatever way that camera is programmed."""
DENOISING: frozenset[str] = frozenset({"denoise", "chroma_blur"})
"""Blocks for cameras that have spatial noise reduction whose strength can be set."""

BASE = "base"
"""Name of the camera's own file in the errors of writers and readers; `campro deploy` puts its path there."""


@dataclass(frozen=True)
class FileNotes:
    """What a writer changes in the camera's own file beside matrix and curve, and what it leaves on."""

    switched_on: tuple[str, ...] = ()
    """Blocks that the file had switched off and the profile needs."""
    switched_off: tuple[str, ...] = ()
    """Blocks that would change the profile's matrix or curve."""
    still_acts: tuple[str, ...] = ()
    """Blocks behind the matrix that stay as they were and still act on the picture."""
    warnings: tuple[str, ...] = ()
    """What the user must do or know before relying on the file."""


class TargetCamera(ABC):
    """One camera platform: limits, writer and reader. Each is declared in one module and listed in `CAMERAS`."""

    name: str
    """Key of the table; the value of `--target`."""
    title: str
    """Processor and software, as shown by `campro targets`."""
    page: str
    """Stem of the Markdown page in cameras/pages that explains installation, check and lock-down."""
    limits: Limits
    """What the camera can hold, with the source of the figures."""
    statistics: tuple[Statistics, ...] = ()
    """Where white balance and exposure measure, one for each kind of release, newest first; empty: not simulated, see
    `measuring`."""
    measuring: str = "where this camera measures them is not known here: check on the camera that they settle"
    """What holds for white balance and exposure, as `campro deploy` states it, where `statistics` alone do not tell."""
    settable: frozenset[str] = STREAM
    """Names of blocks beside matrix and curve that a user can set on this camera; no file holds them."""
    base: str = ""
    """Description of the camera's own file that `--base` must name; empty if the camera needs none."""

    @abstractmethod
    def write(self, profile: IspProfile, base: str) -> Files:
        """Write a profile that is within `limits` as the camera's files.

        Args:
            profile: A profile as returned by `limits.realised` or `limits.fitted`.
            base: Text of the camera's own file (see `read_base`); empty if the camera needs none.

        Raises:
            CamproError: If the base is not a file of this camera, or a number leaves the camera's range once it is
                combined with the base.
        """

    @abstractmethod
    def read(self, files: Files, base: str) -> IspProfile:
        """Read the profile back from files that `write` made from the same base, rounded as the camera rounds.

        Raises:
            CamproError: If the files are not such files.
        """

    def settings(self, profile: IspProfile) -> tuple[str, ...]:
        """What the user must set at this camera beside its files; one text for each block.

        Raises:
            CamproError: with all such blocks, if this camera cannot be set to one.
        """
        blocks = settings_of(profile)
        if missing := [description(block) for block in blocks if block.block not in self.settable]:
            wanted = f"blocks beside matrix and curve of {', '.join(sorted(self.settable))}"
            remedy = "this camera cannot be set to them: design a profile without"
            raise CamproError(f"profile {profile.name} on {self.name}", wanted, "; ".join(missing), remedy)
        return tuple(description(block) for block in blocks)

    def product(self, ccm: Ccm, own: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
        """The profile's matrix times a calibrated one of the camera, for column vectors.

        Raises:
            CamproError: If an entry leaves the range of `limits.matrix`.
        """
        product = np.array(ccm.matrix) @ own
        if not self.limits.matrix.holds(product):
            got = f"{np.abs(product).max():.2f}, the profile's matrix times the calibrated one"
            raise CamproError(self.name, f"matrix entries of {self.limits.matrix}", got, "use a milder profile")
        return product

    def recognises(self, text: str) -> bool:
        """Whether a text is a file of this camera's kind, by its content (see `detect_camera`)."""
        return False

    def notes(self, base: str) -> FileNotes:
        """What `write` switches on and off in the camera's own file, and what still acts on the picture.

        Raises:
            CamproError: If the base is not a file of this camera.
        """
        return FileNotes()

    def read_base(self, path: Path | None) -> str:
        """Read the text of the camera's own file (UTF-8); empty if the camera needs none.

        Raises:
            CamproError: If a file is needed but missing or unreadable, or given but not needed.
        """
        if not self.base:
            if path is not None:
                raise CamproError(f"deploy --target {self.name}", "no --base", str(path), "leave it out")
            return ""
        if path is None:
            raise CamproError(f"deploy --target {self.name}", f"--base FILE, {self.base}", "none")
        return read_text(path, self.base)

    def page_text(self) -> str:
        """Markdown text of the camera's page."""
        return (files("campro.cameras") / "pages" / f"{self.page}.md").read_text(encoding="utf-8")


def read_text(path: Path, wanted: str) -> str:
    """Read a file as UTF-8 text; line ends stay as they are.

    Raises:
        CamproError: If it is unreadable or no text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        got = getattr(error, "strerror", None) or "not text"
        raise CamproError(str(path), wanted, got) from error

"""`campro enhance`: natural colours for captured pictures, except in faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from campro.enhance.fill_names import Fill

if TYPE_CHECKING:
    from campro.core.types import ImageTransform

EXAMPLE = "campro enhance captured/ --out enhanced/"


@dataclass(frozen=True)
class Config:
    """Restore natural colours in captured photographs or video, except in faces."""

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    """Pictures of the protected camera: image, folder (searched in depth), video file, or live video (rtsp://...,
    /dev/video0)."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Target file, or target folder; names and subfolders are kept."""
    enhancer: Path | None = None
    """ONNX file of an enhancer, written by `campro design --enhance`; default: the enhancer of campro-default."""
    profile: str | None = None
    """Profile to apply first, for pictures of a camera without a profile."""
    fill: Fill | None = None
    """What stands where a face was: `smooth`, colours diffused in from around it; `black`; `pixelate-average`, blocks
    of these colours; `silhouette`, a drawn head. None uses anything of the face. Default: smooth, or black for an
    enhancer without a mask of its own (the U-Net)."""
    check: bool = True
    """Refuse pictures whose colours show that no camera with the profile took them."""


def run(config: Config) -> None:
    """Write the enhanced pictures; damaged ones are reported, counted and skipped."""
    from campro.cli.capture import capture
    from campro.core.chain import Chain
    from campro.enhance.captured_check import Checked
    from campro.enhance.runner import load_enhancer
    from campro.isp import Camera, load_profile

    enhancer = load_enhancer(config.enhancer, config.fill)
    cameras = []
    if config.profile is not None:
        profile = load_profile(config.profile)
        enhancer.check_profile(profile.digest, profile.name)
        cameras = [Camera(profile)]
    check = enhancer.captured_check() if config.check and not cameras else None

    def chained(last: ImageTransform, first_only: bool) -> ImageTransform:
        chain = Chain("enhanced", *cameras, last)
        return chain if check is None else Checked(check, chain, first_only)

    capture(
        config.source,
        config.out,
        chained(enhancer, first_only=False),
        "enhance",
        lambda: chained(enhancer.video(), first_only=True),
    )

"""`campro enhance`: natural colours for captured pictures, except in faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


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


def run(config: Config) -> None:
    """Write the enhanced pictures; damaged ones are reported, counted and skipped."""
    from campro.cli.capture import capture
    from campro.core.chain import Chain
    from campro.enhance.runner import load_enhancer
    from campro.isp import Camera, load_profile

    enhancer = load_enhancer(config.enhancer)
    cameras = []
    if config.profile is not None:
        profile = load_profile(config.profile)
        enhancer.check_profile(profile.digest, profile.name)
        cameras = [Camera(profile)]
    still, film = (Chain("enhanced", *cameras, last) for last in (enhancer, enhancer.video()))
    capture(config.source, config.out, still, "enhance", film)

"""`campro enhance`: pictures of a protected camera made pleasant to look at, with the faces left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Config:
    """Enhance captured photographs or video."""

    source: Annotated[str, tyro.conf.Positional]
    """What the protected camera gave: image, folder (searched in depth), video file, or live video (rtsp://...,
    /dev/video0)."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Target file, or target folder, in which names and subfolders are kept."""
    enhancer: Path | None = None
    """ONNX file of an enhancer, as `campro design --enhance` writes it; without it that of campro-default."""
    profile: str | None = None
    """Profile to apply first, for pictures of an ordinary camera: what its protected twin would show."""


def run(config: Config) -> None:
    """Write the enhanced pictures; damaged ones are skipped with a line each and counted."""
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

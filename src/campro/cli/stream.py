"""`campro stream`: live video through a profile or an enhancer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from campro.enhance.fill_names import Fill

if TYPE_CHECKING:
    from campro.core.types import ImageTransform

EXAMPLE = "campro stream rtsp://camera/main http://127.0.0.1:8090/"
NOT_A_CAMERA = (
    "stream: THIS IS NOT A PROTECTED CAMERA. It stands behind one: who has the camera, its network or this computer "
    "has the raw picture. Put the profile into the camera itself where you can: campro deploy"
)


@dataclass(frozen=True)
class Config:
    """Send live video through a profile, an enhancer or both; audio passes through.

    NOT A PROTECTED CAMERA: who has the camera, its network or this computer has the raw picture. A lost source or sink
    is opened again; late frames are dropped.
    """

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    """rtsp://..., http://... (MJPEG, MPEG-TS), /dev/video0, a video file, or - (standard input)."""
    sink: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SINK")]
    """rtsp://... (push), http://127.0.0.1:PORT/ (MJPEG), http://127.0.0.1:PORT/live.m3u8 (HLS), /dev/videoN
    (v4l2loopback), a file (.mp4 .mkv .ts .m3u8 ...), or - (standard output, MPEG-TS)."""
    profile: str | None = None
    """Profile to apply: a name or a JSON file; default: campro-default, or none with --enhancer."""
    enhancer: str | None = None
    """Restore colours, except in faces: `auto` for the enhancer that ships, or an ONNX file. Without --profile the
    source must be a protected camera."""
    fill: Fill | None = None
    """What stands where the enhancer masks a face, see `campro enhance`; default: smooth."""
    seconds: float | None = None
    """Stop after so many seconds; default: when the source ends, or at Ctrl-C."""
    give_up: float | None = None
    """Stop when a lost source or sink is away for so many seconds; default: never."""
    stats_json: Path | None = None
    """File for frame rate, latency, drops and memory, written every 10 seconds and at the end."""


def run(config: Config) -> None:
    """Stream until the end; figures go to standard error, since standard output may be the sink.

    Raises:
        CamproError: for a wrong call, a source or sink that cannot be opened at the start, or a frame that the
            enhancer refuses.
    """
    import signal
    import sys

    import numpy as np

    from campro.core.errors import CamproError
    from campro.core.progress import note
    from campro.stream.sinks import check_sink
    from campro.stream.stream_stats import line
    from campro.stream.streaming import StreamOptions, stream

    if config.fill is not None and config.enhancer in (None, "none"):
        raise CamproError("--fill", "--enhancer beside it", "none")
    check_sink(config.sink)
    print(NOT_A_CAMERA, file=sys.stderr, flush=True)

    def report(text: str) -> None:
        note(f"stream: {text}")

    transform = transform_of(config)
    transform(np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8))  # compiles kernels, builds tables
    options = StreamOptions(config.seconds, config.give_up, config.stats_json, report)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # of systemd and containers: like Ctrl-C
    try:
        stats = stream(config.source, config.sink, transform, options)
    finally:
        signal.signal(signal.SIGTERM, before)
    report("ended; " + line(stats.snapshot()))


def transform_of(config: Config) -> ImageTransform:
    """The profile, the enhancer, or one after the other."""
    from campro.core.chain import Chain
    from campro.isp import Camera, load_profile

    steps: list[ImageTransform] = []
    enhances = config.enhancer not in (None, "none")
    if config.profile is not None or not enhances:
        steps.append(Camera(load_profile(config.profile or "campro-default")))
    if enhances:
        from campro.enhance.runner import load_enhancer

        enhancer = load_enhancer(None if config.enhancer == "auto" else Path(str(config.enhancer)), config.fill)
        if config.profile is not None:
            profile = load_profile(config.profile)
            enhancer.check_profile(profile.digest, profile.name)
        steps.append(enhancer.video())
    return Chain("stream", *steps)

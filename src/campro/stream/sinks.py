"""Sinks of a stream: which one an argument means, and how frames and audio are written to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.parse import urlsplit

from campro.core.atomic_io import remove_dead_parts, replacing
from campro.core.errors import CamproError
from campro.core.media import WRITABLE_VIDEO_SUFFIXES
from campro.core.types import Rgb8
from campro.core.video_inputs import PIPE
from campro.stream.container_sink import ContainerSink
from campro.stream.http_server import LOOPBACK, StreamServer
from campro.stream.live_source import Sound, Tracks
from campro.stream.mjpeg_sink import MjpegSink

PLAYLIST = ".m3u8"
FILES = (*(suffix for suffix in WRITABLE_VIDEO_SUFFIXES if suffix != ".webm"), ".ts", PLAYLIST)
"""Suffixes of files; WebM does not hold H.264."""
HLS_OPTIONS = {
    "hls_time": "1",
    "hls_list_size": "6",
    "hls_flags": "delete_segments+independent_segments+temp_file",
}
"""Segments of one second (a key frame each), of which the last six are kept."""
RTSP_OPTIONS = {"rtsp_transport": "tcp"}
WANTED = (
    f"rtsp://HOST/PATH, http://127.0.0.1:PORT/ (MJPEG) or .../live{PLAYLIST} (HLS), /dev/videoN, a file "
    f"({' '.join(FILES)}) or - (MPEG-TS)"
)


class Sink(Protocol):
    """Where frames and audio go. A failure of writing is an `OSError` (PyAV's errors are such)."""

    def begin(self, tracks: Tracks, size: tuple[int, int]) -> None:
        """Called before the first frame, with the tracks of the source and height and width in pixels."""

    def write_frame(self, rgb: Rgb8, time: float) -> None:
        """Write a frame; `time` in seconds."""

    def write_sound(self, sound: Sound) -> bool:
        """Write a packet of audio; False if the sink has no such track."""


def is_live_sink(sink: str) -> bool:
    """Whether frames must arrive in time: all sinks but files.

    >>> [is_live_sink(one) for one in ("-", "rtsp://h/p", "http://127.0.0.1:8080/", "/dev/video3", "a.mp4")]
    [True, True, True, True, False]
    """
    return sink == PIPE or "://" in sink or sink.startswith("/dev/video")


def check_sink(sink: str) -> None:
    """Refuse what is no sink.

    Raises:
        CamproError: in that case.
    """
    if sink == PIPE or sink.startswith(("rtsp://", "rtsps://", "/dev/video")):
        return
    if sink.startswith("http://"):
        parts = urlsplit(sink)
        if parts.hostname not in LOOPBACK or not parts.port:
            remedy = "others reach a stream through rtsp://, or through a proxy of yours that asks who they are"
            raise CamproError(sink, f"http://127.0.0.1:PORT/ or http://127.0.0.1:PORT/live{PLAYLIST}", sink, remedy)
        return
    if "://" in sink or Path(sink).suffix.lower() not in FILES:
        raise CamproError("SINK", WANTED, sink)


@contextmanager
def opened_sink(sink: str) -> Iterator[Sink]:
    """Open a sink; on leaving, what was written is completed. A new file replaces an old one at the end.

    Raises:
        CamproError: if there is no such sink.
        OSError: if it cannot be opened.
    """
    check_sink(sink)
    if sink == PIPE:
        with ContainerSink(sys.stdout.buffer, "mpegts") as container:
            yield container
    elif sink.startswith(("rtsp://", "rtsps://")):
        with ContainerSink(sink, "rtsp", RTSP_OPTIONS) as container:
            yield container
    elif sink.startswith("/dev/video"):
        with ContainerSink(sink, "v4l2", codec="rawvideo") as container:
            yield container
    elif sink.startswith("http://"):
        with _http(sink) as server:
            yield server
    else:
        with _file(Path(sink)) as container:
            yield container


@contextmanager
def _http(sink: str) -> Iterator[Sink]:
    parts = urlsplit(sink)
    host, port = parts.hostname or "127.0.0.1", parts.port or 0
    if not parts.path.endswith(PLAYLIST):
        with StreamServer(host, port) as server:
            yield MjpegSink(server)
        return
    with TemporaryDirectory(prefix="campro-hls-") as folder:
        playlist = Path(folder) / Path(parts.path).name
        with StreamServer(host, port, playlist), ContainerSink(str(playlist), "hls", HLS_OPTIONS) as container:
            yield container


@contextmanager
def _file(path: Path) -> Iterator[Sink]:
    if path.suffix.lower() == PLAYLIST:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ContainerSink(str(path), "hls", HLS_OPTIONS) as container:
            yield container
        return
    remove_dead_parts(path)
    with replacing(path) as part, ContainerSink(str(part), None) as container:
        yield container

"""Opens video files and live video: which protocols and containers a source may use, and frames as sRGB.

Strangers' data decide what FFmpeg opens next: a playlist names files and addresses. So each kind of source allows only
what it needs: a file only itself; an address only its own protocol, and containers that hold their own data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

try:
    import av
except ImportError:  # the extra `video` is not installed: `opened` raises
    av = None  # type: ignore[assignment]

from campro.core.colour_management import H273_PRIMARIES, HDR_TRANSFERS, rgb_profile, to_srgb
from campro.core.errors import CamproError
from campro.core.extras import require
from campro.core.media import is_live
from campro.core.types import Rgb8

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

LIVE_TIMEOUT_S = 10.0
"""Seconds without data after which a live source has ended."""

_CONTAINERS = (
    "mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "asf", "flv", "ogg", "mxf", "ivf", "dv", "h264", "hevc",
    "m4v", "rm", "wtv", "mjpeg",
)  # fmt: skip
"""Names of FFmpeg's readers of videos; others read pictures, sounds, texts and lists of further files."""
PIPE = "-"
"""The source that is standard input."""
FILE_OPTIONS = {"format_whitelist": ",".join(_CONTAINERS), "protocol_whitelist": "file"}
"""Options of FFmpeg for a video file."""
PIPE_OPTIONS = {"format_whitelist": ",".join((*_CONTAINERS, "mpjpeg")), "protocol_whitelist": "pipe"}
"""Options of FFmpeg for standard input."""
_HTTP = {"format_whitelist": PIPE_OPTIONS["format_whitelist"], "protocol_whitelist": "http,https,httpproxy,tls,tcp"}
# RTSP over TCP, so that no packets are lost, and that the server cannot name other hosts for them.
_RTSP = {"format_whitelist": "rtsp", "protocol_whitelist": "tcp,tls", "rtsp_transport": "tcp"}
_TCP = {"format_whitelist": PIPE_OPTIONS["format_whitelist"], "protocol_whitelist": "tcp"}
_UDP = {"format_whitelist": "mpegts", "protocol_whitelist": "udp"}
ADDRESSES: dict[str, dict[str, str]] = {
    "rtsp": _RTSP, "rtsps": _RTSP, "http": _HTTP, "https": _HTTP, "tcp": _TCP, "udp": _UDP,
}  # fmt: skip
"""Protocols of live sources, and the options of FFmpeg for each."""


def upright(frame: av.VideoFrame, size: tuple[int, int] | None = None) -> Rgb8:
    """The frame as RGB, rotated by its display matrix, scaled to `size` (H, W) if the video changes its size."""
    turns = round(frame.rotation / 90)  # quarter turns, counterclockwise
    if size is not None:
        height, width = size if turns % 2 == 0 else size[::-1]
        frame = frame.reformat(width=width, height=height)
    rgb = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), k=turns), dtype=np.uint8)
    if wide := H273_PRIMARIES.get(_code(frame, "color_primaries")):
        return np.array(to_srgb(Image.fromarray(rgb), rgb_profile(wide), Path("video")))
    return rgb


def _code(part: Any, name: str) -> int:
    """A code point of H.273 of a frame or a codec; 2 (unspecified) where this version of PyAV does not state it."""
    return int(getattr(part, name, 2) or 2)


def _refuse_hdr(video: VideoStream, source: Path | str) -> None:
    kind = HDR_TRANSFERS.get(_code(video.codec_context, "color_trc"))
    if kind is not None:
        remedy = "convert it to SDR (BT.709) first, or switch HDR video off in the camera"
        raise CamproError(str(source), "video of standard dynamic range", f"HDR ({kind})", remedy)


@contextmanager
def opened(source: Path | str, extra: Mapping[str, str] | None = None) -> Iterator[InputContainer]:
    """A container with a video track.

    Args:
        source: a file, a live source (see `is_live`), or PIPE.
        extra: further options of FFmpeg.

    Raises:
        CamproError: if there is no such source, it cannot be read, has no video track, or is HDR; for an address of
            an unknown protocol.
    """
    require("av", "video", f"reading {source}")
    live, who = is_live(source), without_password(str(source))
    if source == PIPE:
        place: Any = sys.stdin.buffer
    elif live or Path(source).is_file():
        place = str(source)
    else:
        raise CamproError(who, "a video file", "a folder" if Path(source).is_dir() else "no such file")
    try:
        container = av.open(place, **open_options(source, extra or {}))
    except (av.FFmpegError, OSError) as error:
        remedy = "check the address" if live else "replace or remove the file"
        expected = "a video source that responds" if live else "a video file"
        raise CamproError(who, expected, f"an unreadable one ({error.strerror})", remedy) from error
    with container:
        if not container.streams.video:
            raise CamproError(who, "a video file", "one without a video track")
        _refuse_hdr(container.streams.video[0], source)
        yield container


def open_options(source: Path | str, extra: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of `av.open` for a source; see `ADDRESSES`.

    Raises:
        CamproError: for an address of an unknown protocol.

    >>> open_options("/dev/video0", {})["format"]
    'v4l2'
    """
    text = str(source)
    if text == PIPE:
        return {"options": {**extra, **PIPE_OPTIONS}}
    if not is_live(source):
        return {"options": {**FILE_OPTIONS, **extra}}
    if "://" not in text:
        return {"format": "v4l2", "options": dict(extra)}
    protocol = text.partition("://")[0].lower()
    if protocol not in ADDRESSES:
        wanted = "an address that begins with " + ", ".join(f"{name}://" for name in ADDRESSES)
        raise CamproError(text, wanted, f"{protocol}://")
    return {"options": {**extra, **ADDRESSES[protocol]}, "timeout": LIVE_TIMEOUT_S}


def without_password(address: str) -> str:
    """An address without the user and password in it.

    >>> without_password("rtsp://admin:secret@camera/1")
    'rtsp://camera/1'
    """
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else address

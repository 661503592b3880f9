"""Video files: frames in order, and a transform applied to a whole file in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from campro.core.errors import CamproError
from campro.core.files import replacing
from campro.core.types import ImageTransform, Rgb8

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v")
"""Files that count as videos (any letter case)."""

WRITABLE_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".m4v")
"""Containers that `transcode` writes; AVI is not among them because it cannot hold frame times."""

_BT709 = 1  # the code point of H.273 for primaries, transfer and matrix alike
_LIMITED_RANGE = 1


@dataclass(frozen=True)
class Transcoded:
    """What became of a video's frames."""

    frames: int
    skipped: int
    """Damaged packets and frames that could not be decoded, and frames that go back in time."""


def read_frames(path: Path) -> Iterator[Rgb8]:
    """The decodable frames of the first video track, upright 8-bit RGB, one at a time; damaged ones are left out."""
    with _opened(path) as source:
        for frame in _decoded(source, source.streams.video[0]):
            if frame is not None:
                yield _upright(frame)


def count_frames(path: Path) -> int | None:
    """How many frames the file says it holds (for progress only), or None where it does not say."""
    with _opened(path) as source:
        return source.streams.video[0].frames or None


def transcode(
    source: Path, target: Path, transform: ImageTransform, on_frame: Callable[[], object] = lambda: None
) -> Transcoded:
    """Apply `transform` to every frame of `source` and write `target`, whole or not at all, in constant memory.

    Frame times are kept and the audio tracks copied untouched; subtitles and metadata are dropped. The container
    follows the suffix of `target`; the codec is H.264 at CRF 14 (VP9 in WebM, MPEG-4 where H.264 is not built in).
    Rotated recordings come out upright. Damaged frames are skipped and counted, and `on_frame` is called for
    every frame written.
    """
    source, target = Path(source), Path(target)
    if target.suffix.lower() not in WRITABLE_SUFFIXES:
        raise CamproError(str(target), "one of " + " ".join(WRITABLE_SUFFIXES), target.suffix or "no suffix")
    if source.exists() and target.exists() and target.samefile(source):
        raise CamproError(str(target), "a target beside the source", "the source itself", "choose another file")
    first = next(read_frames(source), None)
    if first is None:
        raise CamproError(str(source), "a video", "no decodable frame", "replace or remove the file")
    with replacing(target) as part, _opened(source) as reader:
        try:
            with av.open(str(part), "w") as writer:
                result = _copy(reader, writer, transform, first.shape[:2], on_frame)
        except av.FFmpegError as error:  # encoder or container; the disk's own errors carry their number
            raise OSError(error.errno, f"{error.strerror} (if the audio does not fit: use .mkv)") from error
    return result


def _copy(
    reader: InputContainer,
    writer: OutputContainer,
    transform: ImageTransform,
    size: tuple[int, int],
    on_frame: Callable[[], object],
) -> Transcoded:
    video = reader.streams.video[0]
    out = _add_video(writer, video, size)
    audio = {stream.index: _add_audio(writer, stream) for stream in reader.streams.audio}
    done, skipped, last = 0, 0, None

    def copy_audio(packet: av.Packet) -> None:
        if packet.dts is not None:
            packet.stream = audio[packet.stream.index]
            writer.mux(packet)

    for frame in _decoded(reader, video, copy_audio):
        if frame is None or (last is not None and frame.pts is not None and frame.pts <= last):
            skipped += 1
            continue
        last = frame.pts if frame.pts is not None else _next_time(last, video)
        shown = transform(_upright(frame, size))
        writer.mux(out.encode(_encodable(shown, out.pix_fmt or "yuv420p", last, video.time_base)))
        done += 1
        on_frame()
    writer.mux(out.encode(None))
    return Transcoded(done, skipped)


def _add_video(writer: OutputContainer, like: VideoStream, size: tuple[int, int]) -> VideoStream:
    webm = writer.format.name == "webm"
    codec = "libvpx-vp9" if webm else "libx264" if "libx264" in av.codecs_available else "mpeg4"
    options = {"libx264": {"crf": "14"}, "libvpx-vp9": {"crf": "16", "b": "0"}, "mpeg4": {"q": "2"}}[codec]
    out = cast("VideoStream", writer.add_stream(codec, rate=like.average_rate or Fraction(25), options=options))
    out.height, out.width = size
    even = size[0] % 2 == 0 and size[1] % 2 == 0
    out.pix_fmt = "yuv420p" if even or codec == "mpeg4" else "yuv444p"  # halved colour planes need even sides
    out.codec_context.time_base = like.time_base or Fraction(1, 90_000)
    out.codec_context.colorspace = out.codec_context.color_primaries = out.codec_context.color_trc = _BT709
    out.codec_context.color_range = _LIMITED_RANGE
    return out


def _add_audio(writer: OutputContainer, like: AudioStream) -> AudioStream:
    try:
        return writer.add_stream_from_template(like)
    except ValueError as error:
        name = like.codec_context.name
        raise CamproError(f"{writer.format.name} file", "audio it can hold", name, "choose a .mkv target") from error


def _encodable(rgb: Rgb8, layout: str, pts: int, time_base: Fraction | None) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    frame = frame.reformat(format=layout, dst_colorspace="ITU709")
    frame.pts, frame.time_base = pts, time_base
    return frame


def _decoded(
    source: InputContainer, video: VideoStream, on_audio: Callable[[av.Packet], None] | None = None
) -> Iterator[av.VideoFrame | None]:
    """Frames of `video` in showing order, None for each damaged one; audio packets go to `on_audio` as they come."""
    video.thread_type = "AUTO"
    streams = [video, *(source.streams.audio if on_audio else ())]
    packets = source.demux(streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the file breaks off here
            yield None
            return
        if packet is None:
            return
        if packet.stream is not video:
            if on_audio:
                on_audio(packet)
            continue
        try:
            frames = cast("list[av.VideoFrame]", packet.decode())
        except av.FFmpegError:
            yield None
            continue
        for frame in frames:
            yield None if frame.is_corrupt else frame


def _upright(frame: av.VideoFrame, size: tuple[int, int] | None = None) -> Rgb8:
    """The frame as RGB, turned as its display matrix says, scaled to `size` if the video changes size on its way."""
    turns = round(frame.rotation / 90)  # quarter turns, counterclockwise
    if size is not None:
        height, width = size if turns % 2 == 0 else size[::-1]
        frame = frame.reformat(width=width, height=height)
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), k=turns), dtype=np.uint8)


def _next_time(last: int | None, video: VideoStream) -> int:
    """A time for a frame that has none: one average frame after the last."""
    if last is None or not video.average_rate or not video.time_base:
        return 0 if last is None else last + 1
    return last + max(1, round(1 / (video.average_rate * video.time_base)))


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    path = Path(path)
    if not path.is_file():
        raise CamproError(str(path), "a video file", "a folder" if path.is_dir() else "no such file")
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        remedy = "replace or remove the file"
        raise CamproError(str(path), "a video file", f"an unreadable one ({error.strerror})", remedy) from error
    with container:
        if not container.streams.video:
            raise CamproError(str(path), "a video file", "one without a video track")
        yield container

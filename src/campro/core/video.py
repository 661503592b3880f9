"""Video files: reading frames, and applying a transform to all frames in constant memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

try:
    import av
except ImportError:  # the extra `video` is not installed: `video_inputs.opened` raises
    av = None  # type: ignore[assignment]

from campro.core.atomic_io import remove_dead_parts, replacing
from campro.core.errors import CamproError
from campro.core.media import WRITABLE_VIDEO_SUFFIXES, is_live
from campro.core.types import ImageTransform, Rgb8
from campro.core.video_inputs import FILE_OPTIONS, opened, upright

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.video.stream import VideoStream

MATRIX = "ITU709"
"""FFmpeg's name of the matrix of BT.709."""
BT709 = 1  # code point of H.273 for primaries, transfer function and matrix
LIMITED_RANGE = 1
_log = logging.getLogger("campro")


@dataclass(frozen=True)
class Transcoded:
    """Numbers of frames."""

    frames: int
    """Frames written."""
    skipped: int
    """Damaged packets, frames that could not be decoded, and frames whose time is not after the one before."""


def read_frames(path: Path) -> Iterator[Rgb8]:
    """Yield the frames of the first video track as 8-bit sRGB (H, W, 3), rotated upright, without damaged ones.

    Wide primaries (Display P3, BT.2020) are converted; HDR is refused, because its tone mapping is a choice.

    Raises:
        CamproError: if the file is missing, damaged, HDR (PQ, HLG) or has no video track.
    """
    with opened(path) as source:
        for frame in _decoded(source, source.streams.video[0]):
            if frame is not None:
                yield upright(frame)


def is_video(path: Path) -> bool:
    """Whether the content of a file is a video, also one that is refused (HDR); False without the extra `video`."""
    if av is None:
        return False
    try:
        with av.open(str(path), options=FILE_OPTIONS) as container:
            return bool(container.streams.video)
    except (av.FFmpegError, OSError, ValueError):
        return False


def count_frames(path: Path) -> int | None:
    """Number of frames that the file states (for progress only); None if it states none.

    Raises:
        CamproError: if the file is missing, damaged, HDR or has no video track.
    """
    with opened(path) as source:
        return source.streams.video[0].frames or None


def transcode(
    source: Path | str, target: Path, transform: ImageTransform, on_frame: Callable[[], object] = lambda: None
) -> Transcoded:
    """Apply `transform` to every frame of `source` and write `target` atomically, in constant memory.

    Frame times, pixel aspect ratio and audio tracks are kept; subtitles and metadata are removed. The codec is H.264
    at CRF 14 (VP9 in WebM, MPEG-4 if H.264 is not available) with 4:2:0 chroma subsampling, for which odd sides are
    padded by one line, with a note in the log. Rotated recordings become upright. Damaged frames are skipped and
    counted. Part files that killed runs left for the same target are removed.

    Args:
        source: a video file, or a live source (see `is_live`), which is read to its end or until Ctrl-C; the frames
            up to then are kept.
        target: file to write; its suffix decides the container.
        transform: applied to each frame (H, W, 3).
        on_frame: called after each frame.

    Raises:
        CamproError: if the source cannot be read, or the target has an unknown suffix, is the source, cannot hold the
            audio or pixels that are not square (WebM), or cannot be written.
    """
    target = Path(target)
    if target.suffix.lower() not in WRITABLE_VIDEO_SUFFIXES:
        raise CamproError(str(target), "one of " + " ".join(WRITABLE_VIDEO_SUFFIXES), target.suffix or "no suffix")
    if target.exists() and Path(source).exists() and target.samefile(source):
        raise CamproError(str(target), "another file than the source", "the source itself", "choose another file")
    remove_dead_parts(target)
    with replacing(target) as part, opened(source) as reader:
        try:
            with av.open(str(part), "w") as writer:
                return _Copy(reader, writer, transform, is_live(source)).run(on_frame)
        except av.FFmpegError as error:  # of encoder or container; errors of the disk have an errno
            raise OSError(error.errno, f"{error.strerror} (if the audio does not fit: use .mkv)") from error


class _Copy:
    """One pass from reader to writer; the first frame decides the size of the written video track."""

    def __init__(self, reader: InputContainer, writer: OutputContainer, transform: ImageTransform, live: bool) -> None:
        self._reader, self._writer, self._transform, self._live = reader, writer, transform, live
        self._video = reader.streams.video[0]
        self._out: VideoStream | None = None
        self._audio: dict[int, AudioStream] = {}
        self._pending_audio: list[av.Packet] = []
        self._size = (0, 0)

    def run(self, on_frame: Callable[[], object]) -> Transcoded:
        done, skipped, last = 0, 0, None
        try:
            for frame in _decoded(self._reader, self._video, self._copy_audio):
                if frame is None or (last is not None and frame.pts is not None and frame.pts <= last):
                    skipped += 1
                    continue
                last = frame.pts if frame.pts is not None else _next_time(last, self._video)
                self._write(frame, last)
                done += 1
                on_frame()
        except KeyboardInterrupt:
            if not self._live or not done:
                raise
        if self._out is None:
            raise CamproError(self._reader.name, "a video", "no decodable frame", "replace or remove the file")
        self._writer.mux(self._out.encode(None))
        return Transcoded(done, skipped)

    def _write(self, frame: av.VideoFrame, time: int) -> None:
        if self._out is None:
            self._begin(frame)
        assert self._out is not None
        output = self._transform(upright(frame, self._size))
        picture = encodable(output, self._out.pix_fmt or "yuv420p", time, self._video.time_base)
        self._writer.mux(self._out.encode(picture))

    def _begin(self, first: av.VideoFrame) -> None:
        self._size = upright(first).shape[:2]
        self._out = _add_video(self._writer, self._video, even(self._size), first.rotation)
        if even(self._size) != self._size:
            (height, width), (rows, columns) = self._size, even(self._size)
            _log.warning(
                f"{self._reader.name}: {width} x {height} pixels, padded to {columns} x {rows} for 4:2:0 video"
            )
        self._audio = {stream.index: add_audio(self._writer, stream) for stream in self._reader.streams.audio}
        for packet in self._pending_audio:
            self._copy_audio(packet)
        self._pending_audio.clear()

    def _copy_audio(self, packet: av.Packet) -> None:
        if self._out is None:
            self._pending_audio.append(packet)
        elif packet.dts is not None:
            packet.stream = self._audio[packet.stream.index]
            self._writer.mux(packet)


def even(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width, each rounded up to an even number."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def _add_video(writer: OutputContainer, like: VideoStream, size: tuple[int, int], rotation: int) -> VideoStream:
    """The video track; players of phones need 4:2:0, which needs even sides."""
    webm = writer.format.name == "webm"
    codec = "libvpx-vp9" if webm else "libx264" if "libx264" in av.codecs_available else "mpeg4"
    # The default preset of x264 takes twice as long for a gain of half a decibel.
    x264 = {"crf": "14", "preset": "veryfast"}
    options = {"libx264": x264, "libvpx-vp9": {"crf": "16", "b": "0"}, "mpeg4": {"q": "2"}}[codec]
    out = cast("VideoStream", writer.add_stream(codec, rate=like.average_rate or Fraction(25), options=options))
    out.height, out.width = size
    out.pix_fmt = "yuv420p"
    aspect = like.sample_aspect_ratio
    if aspect and aspect != 1 and webm:  # VP9 has no such field, and PyAV cannot set that of the container
        raise CamproError("webm file", "square pixels", f"the aspect ratio {aspect}", "choose a .mkv target")
    if aspect:
        out.codec_context.sample_aspect_ratio = 1 / aspect if round(rotation / 90) % 2 else aspect
    out.codec_context.time_base = like.time_base or Fraction(1, 90_000)
    out.codec_context.colorspace = out.codec_context.color_primaries = out.codec_context.color_trc = BT709
    out.codec_context.color_range = LIMITED_RANGE
    return out


def add_audio(writer: OutputContainer, like: AudioStream) -> AudioStream:
    """A track for the packets of another one, which are copied.

    Raises:
        CamproError: if the container cannot hold them.
    """
    try:
        return writer.add_stream_from_template(like)
    except ValueError as error:
        name = like.codec_context.name
        raise CamproError(
            f"{writer.format.name} file", "audio that it can hold", name, "choose a .mkv target"
        ) from error


def encodable(rgb: Rgb8, layout: str, pts: int, time_base: Fraction | None) -> av.VideoFrame:
    """A frame (H, W, 3) for an encoder: even sides, pixel format `layout`, BT.709, at a time in units of the base."""
    height, width = even(rgb.shape[:2])
    padded = np.pad(rgb, ((0, height - rgb.shape[0]), (0, width - rgb.shape[1]), (0, 0)), "edge")
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="rgb24")
    frame = frame.reformat(format=layout, dst_colorspace=MATRIX)
    frame.pts, frame.time_base = pts, time_base
    return frame


def _decoded(
    source: InputContainer, video: VideoStream, on_audio: Callable[[av.Packet], None] | None = None
) -> Iterator[av.VideoFrame | None]:
    """Frames of `video` in display order, None for each damaged one; audio packets are passed to `on_audio`."""
    video.thread_type = "AUTO"
    streams = [video, *(source.streams.audio if on_audio else ())]
    packets = source.demux(streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the file ends here
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


def _next_time(last: int | None, video: VideoStream) -> int:
    """Time of a frame that has none: one average frame duration after the last."""
    if last is None or not video.average_rate or not video.time_base:
        return 0 if last is None else last + 1
    return last + max(1, round(1 / (video.average_rate * video.time_base)))

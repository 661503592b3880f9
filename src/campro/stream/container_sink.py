"""Writes H.264 and copied audio into a container of FFmpeg: a file, an RTSP server, HLS, standard output, a device."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

try:
    import av
except ImportError:  # the extra `video` is not installed: the source raises first
    av = None  # type: ignore[assignment]

from campro.core.errors import CamproError
from campro.core.types import Rgb8
from campro.core.video import BT709, LIMITED_RANGE, add_audio, encodable, even
from campro.stream.live_source import Sound, Tracks

if TYPE_CHECKING:
    from types import TracebackType

    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

CLOCK = 90_000
"""Ticks of a second of written times, as in RTP and MPEG-TS."""
LEAST_STEP = CLOCK // 500
"""Least step between frames in ticks; Matroska stores whole milliseconds."""
KEY_FRAMES_S = 1
"""Seconds from key frame to key frame: who joins waits at most so long."""
X264 = {"preset": "superfast", "tune": "zerolatency", "crf": "20"}
MPEG_TS_AUDIO = {"aac", "mp2", "mp3", "ac3", "eac3", "opus"}
"""Audio that readers of MPEG-TS understand; FFmpeg writes others as private data."""
FLUSH = {"flush_packets": "1", "max_interleave_delta": "200000"}
"""Write each packet at once, and let video wait at most 0.2 s for audio."""
_log = logging.getLogger("campro")


class ContainerSink:
    """See `campro.stream.sinks.Sink`."""

    def __init__(
        self, place: str | IO[bytes], form: str | None, options: Mapping[str, str] | None = None, codec: str = "h264"
    ) -> None:
        """FFmpeg's name of the container (None: by the suffix of `place`), its options, and "h264" or "rawvideo"."""
        with _os_errors():
            self._container = av.open(cast("Any", place), "w", format=form, options={**FLUSH, **(options or {})})
        self._codec, self._size = codec, (0, 0)
        self._video: VideoStream | None = None
        self._audio: list[AudioStream | None] = []
        self._last = -LEAST_STEP

    def __enter__(self) -> ContainerSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _os_errors():
            try:
                if self._video is not None and not isinstance(error, OSError):
                    self._container.mux(self._video.encode(None))
            finally:
                self._container.close()

    def begin(self, tracks: Tracks, size: tuple[int, int]) -> None:
        """See `Sink.begin`."""
        self._size = size
        h264 = self._codec == "h264" and "libx264" in av.codecs_available
        name = "libx264" if h264 else "mpeg4" if self._codec == "h264" else self._codec
        options = {**X264, "g": str(round(KEY_FRAMES_S * tracks.rate))} if h264 else {}
        video = cast("VideoStream", self._container.add_stream(name, rate=tracks.rate, options=options))
        video.height, video.width = even(size)
        video.pix_fmt = "yuv420p"
        context = video.codec_context
        context.time_base = Fraction(1, CLOCK)
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        if tracks.aspect:
            context.sample_aspect_ratio = tracks.aspect
        self._video = video
        self._audio = [self._audio_track(stream) for stream in tracks.audio]

    def _audio_track(self, like: AudioStream) -> AudioStream | None:
        """A track for copied packets; None, with a line in the log, where the container cannot hold them."""
        if self._codec != "h264":
            return None
        form, name = self._container.format.name, like.codec_context.name
        if form not in ("mpegts", "hls") or name in MPEG_TS_AUDIO:
            with suppress(CamproError):
                return add_audio(self._container, like)
        _log.warning(f"audio left out: {form} cannot hold {name}")
        return None

    def write_frame(self, rgb: Rgb8, time: float) -> None:
        """See `Sink.write_frame`. A frame of another size than the first one is cropped or padded to it."""
        assert self._video is not None
        self._last = max(self._last + LEAST_STEP, round(time * CLOCK))
        frame = encodable(_fitted(rgb, self._size), self._video.pix_fmt or "yuv420p", self._last, Fraction(1, CLOCK))
        with _os_errors():
            self._container.mux(self._video.encode(frame))

    def write_sound(self, sound: Sound) -> bool:
        """See `Sink.write_sound`."""
        track = self._audio[sound.track] if sound.track < len(self._audio) else None
        if track is None:
            return False
        sound.packet.stream = track
        with _os_errors():
            self._container.mux(sound.packet)
        return True


@contextmanager
def _os_errors() -> Iterator[None]:
    """Some errors of FFmpeg, such as an answer of an RTSP server, are no `OSError`."""
    try:
        yield
    except OSError:
        raise
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error


def _fitted(rgb: Rgb8, size: tuple[int, int]) -> Rgb8:
    if rgb.shape[:2] == size:
        return rgb
    fitted = np.zeros((*size, 3), np.uint8)
    height, width = (min(a, b) for a, b in zip(size, rgb.shape))
    fitted[:height, :width] = rgb[:height, :width]
    return fitted

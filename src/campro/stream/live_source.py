"""Reads a source again and again: frames with their times, and audio packets, until it ends for good."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

try:
    import av
except ImportError:  # the extra `video` is not installed: `opened` raises
    av = None  # type: ignore[assignment]

from campro.core.errors import CamproError
from campro.core.media import is_live
from campro.core.video_inputs import PIPE, opened, without_password
from campro.stream.backoff import Backoff
from campro.stream.stream_stats import StreamStats
from campro.stream.timeline import Timeline

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.video.stream import VideoStream

LOW_DELAY = {"fflags": "nobuffer", "analyzeduration": "1000000", "fpsprobesize": "0", "flags": "low_delay"}
"""Options of FFmpeg for live sources: do not collect frames before the first one is given out."""
TIMELESS = ("mpjpeg", "mjpeg")
"""Containers without times; a frame's time is that of its arrival."""
MAX_PACKETS = 256
"""Packets whose time of arrival is kept until their frame is decoded."""
_log = logging.getLogger("campro")


@dataclass(frozen=True)
class Shot:
    """One frame of the source."""

    frame: av.VideoFrame
    time: float
    """In seconds, on the time line of the sink."""
    arrival: float | None
    """When its last packet was read (`time.monotonic`)."""


@dataclass(frozen=True)
class Sound:
    """One packet of audio, whose times are already those of the sink."""

    packet: av.Packet
    track: int
    """Position of its track among the audio tracks of the source."""


@dataclass(frozen=True)
class Tracks:
    """What a connection has; comes before its frames. It stays valid when the connection has ended."""

    rate: Fraction
    """Frames per second on average."""
    aspect: Fraction | None
    """Aspect ratio of a pixel; None for square ones."""
    audio: tuple[AudioStream, ...]
    """Templates for the tracks of a sink."""
    holder: OutputContainer
    """Owns the templates; nothing is written to it."""

    @classmethod
    def of(cls, container: InputContainer) -> Tracks:
        """The tracks of an open container.

        A stream of PyAV points into its container, and may not be used after that is closed. So audio streams are
        copied into a container that stays.
        """
        video = container.streams.video[0]
        holder = av.open(BytesIO(), "w", format="mpegts")
        audio = tuple(holder.add_stream_from_template(stream) for stream in container.streams.audio)
        return cls(video.average_rate or Fraction(25), video.sample_aspect_ratio, audio, holder)


class LiveSource:
    """Frames and audio of a source; a live one is opened again, with growing waits, when it ends or fails."""

    def __init__(self, source: str, stats: StreamStats, stop: Event, give_up: float | None = None) -> None:
        """`give_up`: seconds without a frame after which a lost source has ended; None: never."""
        self.source, self._stats, self._stop, self._give_up = source, stats, stop, give_up
        self.live = is_live(source)
        """Whether it is opened again when it ends."""
        self.is_file = not self.live and (source != PIPE or stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode))
        """Whether it can wait; a pipe cannot."""
        self._timeline, self._backoff, self._last = Timeline(), Backoff(), monotonic()

    def __iter__(self) -> Iterator[Tracks | Shot | Sound]:
        """Items in the order of the source.

        Raises:
            CamproError: if the first attempt to open it fails.
        """
        connected = False
        while not self._stop.is_set():
            try:
                with opened(self.source, LOW_DELAY if self.live else {}) as container:
                    connected = True
                    yield from self._items(container)
                reason = "it ended"
            except (CamproError, av.FFmpegError, OSError) as error:
                if not connected:
                    raise
                reason = getattr(error.__cause__ or error, "strerror", None) or str(error)
            if not self.live or not self._wait(reason):
                return

    def _wait(self, reason: str) -> bool:
        """Wait before the next attempt; False if it is time to give up."""
        seconds = self._backoff.next()
        if self._stop.is_set() or (self._give_up is not None and monotonic() - self._last > self._give_up):
            return False
        _log.warning(f"{without_password(self.source)}: lost ({reason}); next attempt in {seconds:g} s")
        self._stats.count("source reconnects")
        self._timeline.interrupt()
        self._stop.wait(seconds)
        return not self._stop.is_set()

    def _items(self, container: InputContainer) -> Iterator[Tracks | Shot | Sound]:
        video, audio = container.streams.video[0], tuple(container.streams.audio)
        video.thread_type = "SLICE" if self.live else "AUTO"  # threads by frame would delay by a frame each
        tracks = {stream.index: position for position, stream in enumerate(audio)}
        time_of = self._clock(container, video)
        arrivals: dict[int | None, float] = {}
        yield Tracks.of(container)
        for packet in container.demux([video, *audio]):
            if self._stop.is_set():
                return
            if packet.stream.index in tracks:
                if packet.dts is not None and not self._timeline.is_interrupted:
                    yield Sound(self._moved(packet), tracks[packet.stream.index])
                continue
            arrivals[packet.pts] = monotonic()
            if len(arrivals) > MAX_PACKETS:
                arrivals.pop(next(iter(arrivals)))
            for frame in self._decoded(packet):
                self._last = monotonic()
                self._backoff.reset()
                yield Shot(frame, time_of(frame), arrivals.pop(frame.pts, None))

    def _decoded(self, packet: av.Packet) -> list[av.VideoFrame]:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self._stats.count("damaged")
            return []
        whole = [frame for frame in frames if isinstance(frame, av.VideoFrame) and not frame.is_corrupt]
        self._stats.count("damaged", len(frames) - len(whole))
        self._stats.count("read", len(whole))
        return whole

    def _clock(self, container: InputContainer, video: VideoStream) -> Callable[[av.VideoFrame], float]:
        """The function that gives the time of a frame."""
        if container.format.name in TIMELESS and (self.live or self.source == PIPE):
            start = monotonic()
            return lambda frame: self._timeline.at(monotonic() - start)
        base, state = video.time_base or Fraction(1, 90_000), {"next": 0.0}
        step = float(1 / (video.average_rate or 25))

        def time_of(frame: av.VideoFrame) -> float:
            seconds = state["next"] if frame.pts is None else float(frame.pts * base)
            state["next"] = seconds + step
            return self._timeline.at(seconds)

        return time_of

    def _moved(self, packet: av.Packet) -> av.Packet:
        """The packet with the times of the sink."""
        if self._timeline.offset and packet.time_base:
            ticks = round(self._timeline.offset / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        return packet

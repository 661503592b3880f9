"""Writes frames and audio to a sink: opens it at the first frame, and again after a failure."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from time import monotonic
from types import TracebackType

from campro.core.errors import CamproError
from campro.core.types import Rgb8
from campro.core.video_inputs import PIPE, without_password
from campro.stream.backoff import Backoff
from campro.stream.live_source import Sound, Tracks
from campro.stream.sinks import Sink, is_live_sink, opened_sink
from campro.stream.stream_stats import StreamStats

EARLY_SOUNDS = 256
"""Audio packets that are kept until the first frame."""
_log = logging.getLogger("campro")


@dataclass(frozen=True)
class Picture:
    """A transformed frame."""

    rgb: Rgb8
    time: float
    """In seconds."""
    arrival: float | None
    """When its data were read (`time.monotonic`)."""


class SinkWriter:
    """The sink, opened at the first frame, and again after a failure."""

    def __init__(self, name: str, stats: StreamStats, give_up: float | None) -> None:
        """`give_up`: seconds without a written frame after which a lost sink is an error; None: never."""
        self._name, self._stats, self._give_up = name, stats, give_up
        self._stack = ExitStack()
        self.tracks: Tracks | None = None
        self._early = deque[Sound](maxlen=EARLY_SOUNDS)
        self._sink: Sink | None = None
        self._backoff, self._next, self._written, self._opened = Backoff(), 0.0, monotonic(), False

    def __enter__(self) -> SinkWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(*((OSError,) if is_live_sink(self._name) else ())):  # it may have gone; a file must be complete
            self._stack.__exit__(kind, error, trace)

    def frame(self, picture: Picture) -> None:
        """Write a frame; without a sink it is dropped."""
        if self._sink is None and monotonic() >= self._next:
            self._open(picture.rgb)
        if self._sink is None:
            self._stats.count("dropped")
            return
        try:
            self._sink.write_frame(picture.rgb, picture.time)
        except OSError as error:
            self._lose(error)
        else:
            self._stats.written(None if picture.arrival is None else monotonic() - picture.arrival)
            # Not before: an RTSP server is asked when the first frame is written.
            self._written, self._opened = monotonic(), True
            self._backoff.reset()
            while self._early and self._sink is not None:
                self.sound(self._early.popleft())

    def sound(self, sound: Sound) -> None:
        """Write a packet of audio; the first packets wait for the first frame, with which the sink is opened."""
        if self._sink is None:
            if not self._opened:
                self._early.append(sound)
            return
        try:
            self._stats.count("audio packets", self._sink.write_sound(sound))
        except OSError as error:
            self._lose(error)

    def _open(self, rgb: Rgb8) -> None:
        assert self.tracks is not None
        try:
            self._sink = self._stack.enter_context(opened_sink(self._name))
            self._sink.begin(self.tracks, (rgb.shape[0], rgb.shape[1]))
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """Close a sink that failed.

        Raises:
            CamproError: if it never worked, is a file, or is away for too long.
        """
        if self._name == PIPE and isinstance(error, BrokenPipeError):
            raise error
        now, self._sink = monotonic(), None
        with suppress(OSError):  # of the same sink, that is known to be lost
            self._stack.__exit__(type(error), error, error.__traceback__)
        self._stack = ExitStack()
        gone = self._give_up is not None and now - self._written > self._give_up
        if not self._opened or not is_live_sink(self._name) or gone:
            raise CamproError(
                without_password(self._name), "a sink that accepts the stream", error.strerror or str(error)
            )
        wait = self._backoff.next()
        self._next = now + wait
        self._stats.count("sink reconnects")
        _log.warning(f"{without_password(self._name)}: lost ({error.strerror or error}); next attempt in {wait:g} s")

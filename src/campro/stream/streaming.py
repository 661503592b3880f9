"""Runs a stream: one thread reads, one transforms, the caller's thread writes; short channels between them.

    source ──> frames (2, drops the oldest if live) ──> transform ──> written (1) ──> sink
          └──> audio ─────────────────────────────────────────────────────┘

Where the source or the sink is live, a frame that comes too late is dropped before it costs anything, so latency stays
bounded. From file to file nothing is dropped. Memory is bounded by the length of the channels.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError
from campro.core.types import ImageTransform
from campro.core.video_inputs import upright, without_password
from campro.stream.channel import Channel
from campro.stream.live_source import LiveSource, Shot, Sound, Tracks
from campro.stream.sink_writer import Picture, SinkWriter
from campro.stream.sinks import check_sink, is_live_sink
from campro.stream.stream_stats import StreamStats, line

FRAMES = 2
"""Frames that wait for the transform: as many may arrive at once without a drop."""
REPORT_S = 10.0
"""Seconds between two lines of figures."""
_log = logging.getLogger("campro")


@dataclass(frozen=True)
class StreamOptions:
    """What to do beside source, sink and transform."""

    seconds: float | None = None
    """Stop after this time."""
    give_up: float | None = None
    """Stop if a lost source or sink is away for so long; None: never."""
    stats_json: Path | None = None
    """File for the figures, written every REPORT_S and at the end."""
    on_report: Callable[[str], object] = lambda text: None
    """Called with a line of figures every REPORT_S."""


def stream(source: str, sink: str, transform: ImageTransform, options: StreamOptions | None = None) -> StreamStats:
    """Send a source through a transform to a sink, until the source ends or Ctrl-C.

    Args:
        source: file, "-", V4L2 device or address; see `campro.core.video_inputs`.
        sink: see `campro.stream.sinks`.
        transform: applied to each frame (H, W, 3).
        options: how long, and where figures go.

    Raises:
        CamproError: if source or sink cannot be opened at the start, or a frame cannot be transformed.
    """
    check_sink(sink)
    return _Stream(source, sink, transform, options or StreamOptions()).run()


class _Stream:
    def __init__(self, source: str, sink: str, transform: ImageTransform, options: StreamOptions) -> None:
        self._sink_name, self._transform, self._options = sink, transform, options
        self._stats, self._stop, self._error = StreamStats(), Event(), list[Exception]()
        self._source = LiveSource(source, self._stats, self._stop, options.give_up)
        live_sink = is_live_sink(sink)
        self._paced = live_sink and self._source.is_file
        self._frames = Channel[Shot](FRAMES, live=live_sink or not self._source.is_file)
        self._ready = Channel[Tracks | Picture | Sound](1, live=False)
        self._start, self._reported = monotonic(), monotonic()

    def run(self) -> StreamStats:
        threads = [Thread(target=self._guarded, args=(job,), daemon=True) for job in (self._read, self._apply)]
        for thread in threads:
            thread.start()
        try:
            with SinkWriter(self._sink_name, self._stats, self._options.give_up) as writer:
                with suppress(KeyboardInterrupt, BrokenPipeError):  # Ctrl-C; the reader of standard output has gone
                    self._write(writer)
                if self._error:
                    raise self._error[0]
                if writer.tracks is None:
                    raise CamproError(without_password(self._source.source), "a video", "no decodable frame")
        finally:
            self._stop.set()
            self._frames.close()
            self._ready.close()
            for thread in threads:
                thread.join(timeout=2)
            self._report()
        return self._stats

    def _guarded(self, job: Callable[[], None]) -> None:
        """Run a thread; its error ends the stream and is raised by `run`."""
        try:
            job()
        except Exception as error:
            self._error.append(error)
            self._stop.set()
            self._ready.close()
        finally:
            self._frames.close()

    def _read(self) -> None:
        first = None
        for item in self._source:
            if isinstance(item, Shot):
                first = (item.time, monotonic()) if first is None else first
                if self._paced:
                    sleep(max(0.0, first[1] + item.time - first[0] - monotonic()))
                self._stats.count("dropped", self._frames.put(item))
            else:
                self._ready.put(item, droppable=False)
            if self._stop.is_set():
                return

    def _apply(self) -> None:
        size = None
        while (shot := self._frames.get()) is not None:
            start = monotonic()
            rgb = self._transform(upright(shot.frame, size))
            size = rgb.shape[:2]
            self._stats.transformed(monotonic() - start)
            self._ready.put(Picture(rgb, shot.time, shot.arrival))
        self._ready.close()

    def _write(self, writer: SinkWriter) -> None:
        """Write until the end."""
        while not self._ready.ended and not self._over():
            item = self._ready.get(timeout=0.2)
            if isinstance(item, Tracks):
                writer.tracks = writer.tracks or item
            elif isinstance(item, Picture):
                writer.frame(item)
            elif isinstance(item, Sound):
                writer.sound(item)
            if monotonic() - self._reported > REPORT_S:
                self._report()

    def _over(self) -> bool:
        return self._stop.is_set() or (
            self._options.seconds is not None and monotonic() - self._start > self._options.seconds
        )

    def _report(self) -> None:
        self._reported, figures = monotonic(), self._stats.snapshot()
        self._options.on_report(line(figures))
        if self._options.stats_json is not None:
            names = {"source": without_password(self._source.source), "sink": without_password(self._sink_name)}
            atomic_write(self._options.stats_json, json.dumps({**names, **figures}, indent=1) + "\n")

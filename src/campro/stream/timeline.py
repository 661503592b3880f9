"""Times of a stream whose source may restart: they only grow, and a gap is as long as it was."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

STEP = 0.001
"""Least time, in seconds, from a frame before an interruption to the first one after it."""


class Timeline:
    """Source times in seconds to times of the sink. Until the first interruption both are the same.

    >>> clock = iter([100.0, 100.5, 107.5]).__next__
    >>> timeline = Timeline(clock)
    >>> timeline.at(3.0), timeline.at(3.5)
    (3.0, 3.5)
    >>> timeline.interrupt()
    >>> timeline.at(0.0), timeline.offset
    (10.5, 10.5)
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self.offset = clock, 0.0
        self._last: tuple[float, float] | None = None
        self._interrupted = False

    def interrupt(self) -> None:
        """The next time is of a new connection: times of the source may begin anew."""
        self._interrupted = self._last is not None

    @property
    def is_interrupted(self) -> bool:
        """Whether the offset of the present connection is not known yet."""
        return self._interrupted

    def at(self, seconds: float) -> float:
        """The time of the sink for a time of the source."""
        now = self._clock()
        if self._interrupted and self._last is not None:
            time, when = self._last
            self.offset = time + max(now - when, STEP) - seconds
            self._interrupted = False
        moved = seconds + self.offset
        if self._last is None or moved > self._last[0]:
            self._last = (moved, now)
        return moved

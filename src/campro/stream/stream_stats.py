"""Counts and times of a stream: frame rate, latency, drops, memory."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Literal

import numpy as np

WINDOW = 600
"""Frames over which latency and transform times are taken."""
Event = Literal["read", "written", "dropped", "damaged", "audio packets", "source reconnects", "sink reconnects"]


class StreamStats:
    """Counted by several threads, read by one."""

    def __init__(self) -> None:
        self._lock, self._start = Lock(), monotonic()
        self._counts: Counter[str] = Counter()
        self._latency, self._transform = deque[float](maxlen=WINDOW), deque[float](maxlen=WINDOW)
        self._times = deque[float](maxlen=WINDOW)

    def count(self, event: Event, number: int = 1) -> None:
        """Count an event."""
        with self._lock:
            self._counts[event] += number

    def transformed(self, seconds: float) -> None:
        """One frame went through the profile or enhancer in so many seconds."""
        with self._lock:
            self._transform.append(seconds)

    def written(self, latency: float | None) -> None:
        """One frame reached the sink, so many seconds after its data were read; None if that is not known."""
        with self._lock:
            self._counts["written"] += 1
            self._times.append(monotonic())
            if latency is not None:
                self._latency.append(latency)

    def snapshot(self) -> dict[str, float | int | None]:
        """All figures; times in milliseconds over the last WINDOW frames, memory (resident) in MiB."""
        with self._lock:
            counts = {name: self._counts[name] for name in Event.__args__}  # type: ignore[attr-defined]
            times, latency, transform = list(self._times), list(self._latency), list(self._transform)
        rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else None
        return {
            "seconds": round(monotonic() - self._start, 3),
            **{name.replace(" ", "_"): count for name, count in counts.items()},
            "frames_per_second": rate and round(rate, 2),
            "latency_ms": _quantile(latency, 0.5),
            "latency_ms_95": _quantile(latency, 0.95),
            "transform_ms": _quantile(transform, 0.5),
            "memory_mib": resident_mib(),
        }


def line(figures: dict[str, float | int | None]) -> str:
    """The figures in one line."""
    return (
        f"{figures['frames_per_second'] or 0:.1f} frames/s, latency {figures['latency_ms'] or 0:.0f} ms "
        f"(95 %: {figures['latency_ms_95'] or 0:.0f}), {figures['written']} written, {figures['dropped']} dropped, "
        f"{figures['damaged']} damaged, {figures['source_reconnects']} reconnects, {figures['memory_mib'] or 0:.0f} MiB"
    )


def resident_mib() -> float | None:
    """Resident memory of this process; None where /proc is missing."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return round(pages * 4096 / 2**20, 1)


def _quantile(seconds: list[float], share: float) -> float | None:
    return round(1000 * float(np.quantile(seconds, share)), 1) if seconds else None

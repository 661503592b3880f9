"""`campro stream` at 1920 x 1080, 30 frames a second: frame rate, drops, share of a core, and latency that it adds.

A camera in this process publishes MJPEG; the command sends it to its MJPEG sink; a client in this process reads that.
Each frame has its number as black and white squares, so latency is the time from its publication to the arrival of the
same frame at the client.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from socket import socket
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np

from benchmarks.common import photograph, write
from campro.core.types import Rgb8
from campro.stream.http_server import StreamServer

RATE, SECONDS, WARM_UP_S = 30.0, 15.0, 4.0
BITS, SIDE = 8, 64
"""Squares of SIDE pixels: black, white, then the bits of the frame's number."""
WAYS: dict[str, tuple[list[str], dict[str, str]]] = {
    "profile": (["--profile", "campro-default"], {}),
    "profile, colour step on one core": (["--profile", "campro-default"], {"NUMBA_NUM_THREADS": "1"}),
    "profile and enhancer": (["--profile", "campro-default", "--enhancer", "auto"], {}),
}


def numbered(rgb: Rgb8, number: int) -> Rgb8:
    """The picture with its number in the top left corner."""
    marked = rgb.copy()
    for place, bit in enumerate((0, 1, *(number >> bit & 1 for bit in range(BITS)))):
        marked[:SIDE, place * SIDE : (place + 1) * SIDE] = 255 * bit
    return marked


def number_of(jpeg: bytes) -> int:
    """The number of a picture, whatever a profile makes of black and white."""
    grey = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)).astype(float)
    black, white, *bits = (
        grey[SIDE // 4 : 3 * SIDE // 4, place * SIDE + SIDE // 4 : place * SIDE + 3 * SIDE // 4].mean((0, 1))
        for place in range(2 + BITS)
    )
    return sum((np.abs(bit - white).sum() < np.abs(bit - black).sum()) << place for place, bit in enumerate(bits))


def received(url: str, stop: Event) -> Iterator[tuple[float, bytes]]:
    """Arrival and content of each picture of an MJPEG stream."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        while not stop.is_set():
            length = None
            while length is None or header.strip():
                header = answer.readline()
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            yield time.monotonic(), answer.read(length)


def free_port() -> int:
    """A port that nothing uses."""
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def measure(options: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
    """Figures of one call of the command."""
    picture = photograph(1920, 1080)
    frames = [
        cv2.imencode(".jpg", numbered(np.roll(picture, 8 * number, 1), number)[..., ::-1])[1].tobytes()
        for number in range(1 << BITS)
    ]
    published: dict[int, float] = {}
    arrived: list[tuple[float, bytes]] = []
    stop = Event()

    def publish(server: StreamServer) -> None:
        start, number = time.monotonic(), 0
        while not stop.is_set():
            published[number % len(frames)] = time.monotonic()
            server.publish(frames[number % len(frames)])
            number += 1
            time.sleep(max(0.0, start + number / RATE - time.monotonic()))

    with StreamServer("127.0.0.1", 0) as server, tempfile.TemporaryDirectory() as folder:
        port, report = free_port(), Path(folder) / "stats.json"
        Thread(target=publish, args=(server,), daemon=True).start()
        source, sink = f"http://127.0.0.1:{server.port}/stream.mjpeg", f"http://127.0.0.1:{port}/"
        call = [sys.executable, "-m", "campro", "stream", source, sink, *options, "--stats-json", str(report)]
        process = subprocess.Popen([*call, "--quiet"], env={**os.environ, **environment})
        latencies = _latencies(f"{sink}stream.mjpeg", published, arrived, stop)
        stop.set()
        process.terminate()
        process.wait(10)
        figures = json.loads(report.read_text())
    rate = (len(arrived) - 1) / (arrived[-1][0] - arrived[0][0])
    return {
        "frames_per_second_at_client": round(rate, 2),
        "added_latency_ms": round(1000 * float(np.median(latencies)), 1),
        "added_latency_ms_95": round(1000 * float(np.quantile(latencies, 0.95)), 1),
        **{name: figures[name] for name in ("transform_ms", "latency_ms", "read", "dropped", "memory_mib")},
        "share_of_a_core": round(figures["transform_ms"] * min(rate, RATE) / 1000, 3),
    }


def _latencies(url: str, published: dict[int, float], arrived: list[tuple[float, bytes]], stop: Event) -> list[float]:
    """Seconds from publication to arrival of each frame, after the warm-up."""
    while True:
        try:
            stream = received(url, stop)
            first = next(stream)[0]
            break
        except OSError:
            time.sleep(0.1)
    sent = []
    for arrival, jpeg in stream:
        if arrival > first + WARM_UP_S:
            arrived.append((arrival, jpeg))
            sent.append(dict(published))
        if arrival > first + WARM_UP_S + SECONDS:
            return [when - times[number_of(data)] for (when, data), times in zip(arrived, sent)]
    raise RuntimeError("the stream ended")


def main() -> None:
    """Measure and write."""
    write("stream_speed", {name: measure(*way) for name, way in WAYS.items()})


if __name__ == "__main__":
    main()

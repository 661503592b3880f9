"""Minutes of a live stream by the command: memory stays constant, latency bounded, cuts of the source are survived.

CAMPRO_SOAK_SECONDS sets the length: 600 for the figures of docs/howto/stream.md, 20 without it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from support.videos import camera

SECONDS = float(os.environ.get("CAMPRO_SOAK_SECONDS", "20"))
CUTS = 3
RATE = 25
FIRST_REPORT_S = 11


def figures(file):
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.slow  # the default is 20 seconds
def test_memory_and_latency_do_not_grow(tmp_path):
    """From the first figures, after 10 seconds, to the last ones."""
    with camera(rate=RATE) as port:
        address = f"http://127.0.0.1:{port}/stream.mjpeg"
    report, sink = tmp_path / "stats.json", tmp_path / "live" / "x.m3u8"
    command = ["stream", address, str(sink), "--seconds", str(SECONDS), "--stats-json", str(report)]
    process, first = None, None
    for _ in range(CUTS + 1):
        with camera(port, RATE):
            if process is None:
                process = subprocess.Popen([sys.executable, "-m", "campro", *command])
                while not report.is_file():
                    time.sleep(0.2)
                first = figures(report)
            with suppress(subprocess.TimeoutExpired):
                process.wait((SECONDS - FIRST_REPORT_S) / (CUTS + 1))
        time.sleep(0.4)
    assert process.wait(30) == 0
    last = figures(report)
    print(json.dumps({"first": first, "last": last}, indent=1))
    assert last["memory_mib"] < first["memory_mib"] + 20
    assert last["latency_ms_95"] < 500
    assert last["source_reconnects"] >= CUTS - 1
    assert last["dropped"] < 0.05 * last["read"]
    assert len(list(sink.parent.iterdir())) < 12  # old segments are deleted

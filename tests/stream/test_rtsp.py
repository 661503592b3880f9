"""RTSP with a real server: reading, pushing, and connections that are cut and restored.

The server is GStreamer's, run by the system's Python (Debian: python3-gst-1.0 gir1.2-gst-rtsp-server-1.0
gstreamer1.0-rtsp gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly).
"""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from socket import socket
from threading import Thread

import av
import pytest
from support.videos import Inverted, read

from campro.core.errors import CamproError
from campro.stream.streaming import StreamOptions, stream

SERVER = Path(__file__).parents[1] / "support" / "rtsp_server.py"
PYTHON = "/usr/bin/python3"
with socket() as free:
    free.bind(("127.0.0.1", 0))
    PORT = free.getsockname()[1]
CAMERA, RECORD = f"rtsp://127.0.0.1:{PORT}/camera", f"rtsp://127.0.0.1:{PORT}/record"


@cache
def missing():
    """What GStreamer lacks; empty if the tests can run."""
    code = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
        "from gi.repository import Gst, GstRtspServer; "
        "Gst.init(None); names = 'x264enc', 'rtph264pay', 'h264parse', 'alawenc', 'matroskamux'; "
        "print(*[name for name in names if not Gst.ElementFactory.find(name)])"
    )
    if not shutil.which(PYTHON):
        return f"no {PYTHON}"
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


@contextmanager
def server(file):
    if missing():
        pytest.skip(f"no RTSP server of GStreamer: {missing()}")
    process = subprocess.Popen([PYTHON, str(SERVER), str(PORT), str(file)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_camera_is_read_with_audio(tmp_path):
    with server(tmp_path / "unused"):
        stats = stream(CAMERA, str(tmp_path / "b.mov"), Inverted(), StreamOptions(seconds=2.5)).snapshot()
    times, levels = read(tmp_path / "b.mov")
    assert len(times) == stats["written"] > 20
    assert min(levels) > 100  # the test picture is mostly black, inverted
    assert abs((times[-1] - times[0]) / (len(times) - 1) - 1 / 25) < 0.004
    assert stats["latency_ms"] < 500
    with av.open(str(tmp_path / "b.mov")) as container:
        assert container.streams.audio[0].codec_context.name == "pcm_alaw"


def test_a_stream_is_pushed_to_a_server(tmp_path):
    with server(tmp_path / "pushed.mkv"):
        stats = stream(CAMERA, RECORD, Inverted(), StreamOptions(seconds=2.5)).snapshot()
        time.sleep(0.3)
    times, levels = read(tmp_path / "pushed.mkv")
    assert len(times) > 0.7 * stats["written"] > 15
    assert min(levels) > 100


def test_a_server_that_does_not_have_the_path_is_an_error_in_one_line(tmp_path):
    with server(tmp_path / "unused"), pytest.raises(ValueError, match="a video source that responds"):
        stream(f"rtsp://127.0.0.1:{PORT}/nothing", str(tmp_path / "b.mkv"), Inverted())


def test_a_server_that_refuses_a_push_is_an_error_in_one_line(tmp_path):
    with server(tmp_path / "unused"), pytest.raises(CamproError, match="a sink that accepts the stream"):
        stream(CAMERA, f"rtsp://127.0.0.1:{PORT}/nothing", Inverted(), StreamOptions(seconds=3))


@pytest.mark.slow  # seconds of waiting, as a network has them
def test_source_and_sink_are_found_again_after_a_restart(tmp_path):
    found = []
    with server(tmp_path / "first.mkv"):
        thread = Thread(
            target=lambda: found.append(stream(CAMERA, RECORD, Inverted(), StreamOptions(seconds=14)).snapshot())
        )
        thread.start()
        time.sleep(3)
    time.sleep(1)
    with server(tmp_path / "second.mkv"):
        thread.join(20)
        time.sleep(0.3)
    assert found[0]["source_reconnects"] >= 1
    assert found[0]["sink_reconnects"] >= 1
    times, _ = read(tmp_path / "second.mkv")
    assert len(times) > 25
    assert all(later > earlier for earlier, later in pairwise(times))

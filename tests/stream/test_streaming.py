"""Streams from file to file, through pipes and over HTTP on loopback: times, audio, drops, interruptions, refusals."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread

import av
import pytest
from support.videos import Inverted, audio_packets, camera, level, make, read

from campro.core.errors import CamproError
from campro.stream.http_server import StreamServer
from campro.stream.sinks import check_sink
from campro.stream.streaming import StreamOptions, stream

HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make(tmp_path_factory.mktemp("source") / "a.mkv")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_from_file_to_file_nothing_is_lost(source, tmp_path, suffix):
    stats = stream(str(source), str(tmp_path / f"b{suffix}"), Inverted()).snapshot()
    (times, levels), (wanted_times, wanted) = read(tmp_path / f"b{suffix}"), read(source)
    assert len(levels) == 50
    assert max(abs(one + other - 255) for one, other in zip(levels, wanted)) < 4
    shift = times[0] - wanted_times[0]  # MPEG-TS begins later
    assert max(abs(one - other - shift) for one, other in zip(times, wanted_times)) < 0.002
    assert abs(audio_packets(tmp_path / f"b{suffix}") - audio_packets(source)) <= 1
    assert (stats["written"], stats["dropped"], stats["damaged"]) == (50, 0, 0)
    assert stats["latency_ms"] < 5000


@pytest.mark.slow
def test_pipes_carry_mpeg_ts_and_nothing_else(source, tmp_path):
    code = "from campro.stream.streaming import stream; from support.videos import Inverted; stream(*'--', Inverted())"
    make(tmp_path / "in.ts")
    with (tmp_path / "in.ts").open("rb") as given, (tmp_path / "out.ts").open("wb") as got:
        path = f"{HERE}:{':'.join(filter(None, sys.path))}"
        subprocess.run([sys.executable, "-c", code], stdin=given, stdout=got, env={"PYTHONPATH": path}, check=True)
    assert len(read(tmp_path / "out.ts")[0]) >= 48  # sent at its own speed; a late frame is dropped
    assert audio_packets(tmp_path / "out.ts") > 0


def in_thread(*args):
    """Run a stream beside the test; its statistics are appended to the list that is returned with the thread."""
    found = []
    thread = Thread(target=lambda: found.append(stream(*args).snapshot()), daemon=True)
    thread.start()
    return thread, found


def fetch(url, headers=None, attempts=100):
    """The body of an answer; waits until the server is there."""
    for _ in range(attempts):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=5) as answer:
                return answer.read()
        except (urllib.error.HTTPError, ConnectionError, urllib.error.URLError) as error:
            if getattr(error, "code", 404) != 404:
                raise
            time.sleep(0.05)
    raise AssertionError(url)


@pytest.fixture
def port():
    with StreamServer("127.0.0.1", 0) as server:
        return server.port


def test_mjpeg_in_time_for_a_client(source, port):
    thread, found = in_thread(str(source), f"http://127.0.0.1:{port}/", Inverted())
    assert b"stream.mjpeg" in fetch(f"http://127.0.0.1:{port}/")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(f"http://127.0.0.1:{port}/stream.mjpeg", {"Host": "stranger.example"})
    levels = []
    with av.open(f"http://127.0.0.1:{port}/stream.mjpeg", format="mpjpeg") as client:
        for frame in client.decode(video=0):
            levels.append(frame.to_ndarray(format="rgb24").mean())
            if len(levels) == 10:
                break
    assert all(one > other for one, other in pairwise(levels))  # inverted, so falling
    thread.join(10)
    assert found[0]["written"] + found[0]["dropped"] == 50
    assert found[0]["seconds"] > 1.8  # a file is sent at its own speed


def test_hls_over_http(source, port, tmp_path):
    thread, _ = in_thread(str(source), f"http://127.0.0.1:{port}/live.m3u8", Inverted())
    playlist = fetch(f"http://127.0.0.1:{port}/live.m3u8").decode()
    names = [text for text in playlist.splitlines() if text.endswith(".ts")]
    (tmp_path / "part.ts").write_bytes(fetch(f"http://127.0.0.1:{port}/{names[0]}"))
    assert len(read(tmp_path / "part.ts")[0]) >= 20
    for wrong in ("../secret", "live.m3u8/../x", "other.ts", ""):
        with pytest.raises(AssertionError):
            fetch(f"http://127.0.0.1:{port}/{wrong}", attempts=1)
    thread.join(10)


@pytest.mark.slow
def test_a_source_that_is_cut_and_restored_goes_on_with_growing_times(port, tmp_path):
    options = StreamOptions(seconds=3.2, stats_json=tmp_path / "stats.json")
    with camera(port):
        thread, found = in_thread(f"http://127.0.0.1:{port}/stream.mjpeg", str(tmp_path / "b.mkv"), Inverted(), options)
        time.sleep(1)
    with camera(port):
        thread.join(10)
    times, _ = read(tmp_path / "b.mkv")
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert min(steps) > 0
    assert 0.3 < max(steps) < 1.6
    assert found[0]["source_reconnects"] >= 1
    assert json.loads((tmp_path / "stats.json").read_text())["written"] == found[0]["written"] > 20


def test_a_source_that_stays_away_ends_the_stream(port, tmp_path):
    with camera(port):
        options = StreamOptions(give_up=0.3)
        thread, found = in_thread(f"http://127.0.0.1:{port}/stream.mjpeg", str(tmp_path / "b.mkv"), Inverted(), options)
        time.sleep(0.7)
    thread.join(10)
    assert found and read(tmp_path / "b.mkv")[0]


class Slow(Inverted):
    """Takes two and a half frames' time for each frame."""

    def __call__(self, rgb):
        time.sleep(0.1)
        return super().__call__(rgb)


def test_frames_are_dropped_instead_of_late(tmp_path):
    with camera() as port:
        stats = stream(
            f"http://127.0.0.1:{port}/stream.mjpeg", str(tmp_path / "b.ts"), Slow(), StreamOptions(seconds=2)
        ).snapshot()
    assert stats["dropped"] > stats["written"] / 2
    assert stats["latency_ms_95"] < 500  # two waiting frames and one in work, 0.1 s each, and the decoder


def test_a_transform_that_fails_ends_the_stream_and_leaves_no_file(source, tmp_path):
    class Broken(Inverted):
        def __call__(self, rgb):
            raise CamproError("enhance", "another picture", "this one")

    with pytest.raises(CamproError, match="another picture"):
        stream(str(source), str(tmp_path / "b.mkv"), Broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "sink",
    [
        "http://0.0.0.0:8000/",
        "http://192.168.1.2:80/",
        "http://127.0.0.1/",
        "ftp://x/y",
        "a.webm",
        "a.gif",
        "b",
        "http://evil:1/",
    ],
)
def test_unsafe_and_unknown_sinks_are_refused(sink):
    with pytest.raises(CamproError, match="expected"):
        check_sink(sink)


@pytest.mark.parametrize("source", ["ftp://127.0.0.1/a.mp4", "file:///etc/passwd", "concat://a|b", "nothing.mp4"])
def test_unknown_sources_are_refused(source, tmp_path):
    with pytest.raises(CamproError, match="expected"):
        stream(source, str(tmp_path / "b.mkv"), Inverted())


def test_a_server_cannot_name_other_files_or_addresses(tmp_path):
    """A stranger's answer is a playlist or an SDP: nothing of what it names is opened."""
    make(tmp_path / "secret.mp4", 5)
    texts = [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {}\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(texts[int(self.path.strip("/"))].format(tmp_path / "secret.mp4").encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for number in range(len(texts)):
            with pytest.raises(CamproError, match=r"unreadable|without a video"):
                stream(f"http://127.0.0.1:{server.server_port}/{number}", str(tmp_path / "b.mkv"), Inverted())
        server.shutdown()


def test_passwords_are_not_printed(tmp_path, port):
    with pytest.raises(CamproError) as caught:
        stream(f"http://admin:hunter2@127.0.0.1:{port}/", str(tmp_path / "b.mkv"), Inverted())
    assert "hunter2" not in str(caught.value)


def test_levels_of_the_test_pictures_are_known():
    assert level(1) == 20

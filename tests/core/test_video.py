from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import tracemalloc
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import av
import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.core.media import is_live
from campro.core.video import count_frames, read_frames, transcode

UNEVEN = [0, 40, 80, 200, 240, 280, 500, 540, 580, 900, 940, 999]  # milliseconds
COLOURS = ((200, 30, 40), (20, 180, 60), (30, 40, 200), (128, 128, 128))


class Toy:
    """Swaps red and blue, or changes nothing."""

    digest = "toy"

    def __init__(self, swap: bool = False) -> None:
        self.name, self.swap = "toy", swap

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        return rgb[..., ::-1] if self.swap else rgb


def picture(size, i=0):
    rgb = np.zeros((*size, 3), np.uint8)
    for bar, colour in enumerate(COLOURS):
        rgb[:, size[1] * bar // 4 : size[1] * (bar + 1) // 4] = colour
    rgb[:, -4:] = i * 5 % 250
    return rgb


def make(path, size=(48, 64), times=UNEVEN, audio=True):
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "1", "g": "4"})
        video.height, video.width = size
        video.pix_fmt = "yuv420p" if size[0] % 2 == size[1] % 2 == 0 else "yuv444p"
        video.codec_context.time_base = Fraction(1, 1000)
        sound = container.add_stream("aac", rate=16000, layout="mono") if audio else None
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(size, i), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for i in range(8 if sound else 0):
            wave = 0.3 * np.sin(np.arange(1024, dtype=np.float32) / 9)[None]
            beep = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            beep.sample_rate, beep.pts, beep.time_base = 16000, 1024 * i, Fraction(1, 16000)
            container.mux(sound.encode(beep))
        if sound:
            container.mux(sound.encode(None))
    return path


def frame_times(path):
    with av.open(str(path)) as container:
        return [round(float(frame.time), 3) for frame in container.decode(video=0)]


def audio_bytes(path):
    with av.open(str(path)) as container:
        return b"".join(bytes(packet) for packet in container.demux(audio=0))


@pytest.mark.parametrize("suffix, audio", [("mp4", True), ("mov", True), ("mkv", False), ("webm", False)])
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_frame_times_audio_size_and_colours_are_kept(tmp_path, suffix, audio, size):
    source, target = make(tmp_path / "a.mp4", size, audio=audio), tmp_path / f"b.{suffix}"
    ticks = []
    result = transcode(source, target, Toy(), lambda: ticks.append(1))
    assert (result.frames, result.skipped, len(ticks)) == (12, 0, 12) == (count_frames(source), 0, 12)
    assert frame_times(target) == frame_times(source)
    if audio:
        assert audio_bytes(target) == audio_bytes(source) != b""
    for before, after in zip(read_frames(source), read_frames(target), strict=True):
        assert before.shape == (*size, 3) and after.shape == (48, 64, 3)
        for bar, colour in enumerate(COLOURS):
            x = size[1] * (2 * bar + 1) // 8
            assert np.abs(before[20, x].astype(int) - colour).max() <= 3
            assert np.abs(after[20, x].astype(int) - colour).max() <= 5
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({"a.mp4", target.name})


def test_odd_sizes_are_padded_to_subsampled_video_with_a_note(tmp_path, caplog):
    for suffix in ("mp4", "webm"):
        transcode(make(tmp_path / "a.mp4", (47, 63), audio=False), tmp_path / f"b.{suffix}", Toy())
        with av.open(str(tmp_path / f"b.{suffix}")) as container:
            assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        after = next(read_frames(tmp_path / f"b.{suffix}"))
        assert np.abs(after[-1].astype(int) - after[-2]).max() <= 6  # the last line twice
    assert "63 x 47 pixels, padded to 64 x 48" in caplog.text


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_pixel_aspect_ratio_is_kept(tmp_path, suffix):
    source = remade(tmp_path / "a.mkv", sample_aspect_ratio=Fraction(16, 11))
    transcode(source, tmp_path / f"b.{suffix}", Toy())
    with av.open(str(tmp_path / f"b.{suffix}")) as container:
        assert float(container.streams.video[0].sample_aspect_ratio) == pytest.approx(16 / 11, rel=0.01)


def test_pixels_that_are_not_square_are_refused_for_webm(tmp_path):
    source = remade(tmp_path / "a.mkv", sample_aspect_ratio=Fraction(16, 11))
    with pytest.raises(CamproError, match=r"square pixels.*\.mkv"):
        transcode(source, tmp_path / "b.webm", Toy())


def remade(path, rgb=None, **codec):
    """A short H.264 video with settings of the codec."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10, options={"crf": "1"})
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        for name, value in codec.items():
            setattr(video.codec_context, name, value)
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(picture((48, 64), i) if rgb is None else rgb, format="rgb24")
            container.mux(video.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))
        container.mux(video.encode(None))
    return path


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
@pytest.mark.parametrize("suffix", ["mov", "mkv", "ts"])
def test_hdr_is_refused(tmp_path, transfer, name, suffix):
    source = remade(tmp_path / f"a.{suffix}", color_trc=transfer, color_primaries=9)
    with pytest.raises(CamproError, match=rf"a\.{suffix}: .*HDR \({name}\)"):
        next(read_frames(source))
    with pytest.raises(CamproError, match="HDR"):
        transcode(source, tmp_path / "b.mp4", Toy())
    assert not (tmp_path / "b.mp4").exists()


def test_wide_primaries_are_converted(tmp_path):
    skin = np.full((48, 64, 3), (210, 170, 145), np.uint8)  # the skin colour (224, 172, 140) of sRGB in Display P3
    wide = remade(tmp_path / "a.mov", skin, color_primaries=12, color_trc=1, colorspace=1)
    plain = remade(tmp_path / "b.mov", skin, color_primaries=1, color_trc=1, colorspace=1)
    assert np.abs(next(read_frames(plain))[9, 9].astype(int) - skin[9, 9]).max() <= 3
    read = next(read_frames(wide))[9, 9].astype(int)
    assert read[0] > 215 and read[2] < 143 and abs(read[1] - 170) <= 4


@pytest.mark.parametrize("suffix", ["ts", "mts", "mpg", "3gp", "flv"])
def test_other_containers_are_read(tmp_path, suffix):
    with av.open(str(tmp_path / f"a.{suffix}"), "w") as container:
        codec = "mpeg2video" if suffix == "mpg" else "libx264"
        video = container.add_stream(codec, rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        for i in range(5):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture((48, 64), i), format="rgb24")))
        container.mux(video.encode(None))
    assert transcode(tmp_path / f"a.{suffix}", tmp_path / "b.mkv", Toy()).frames == 5


def test_part_files_of_killed_runs_are_removed(tmp_path):
    source = make(tmp_path / "a.mp4")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = [f".b.{dead.pid}-7.part.mp4", f".b.{os.getppid()}-7.part.mp4", f".other.{dead.pid}-7.part.mp4"]
    for name in [*names, f".b.{os.getpid()}-7.part.mp4"]:
        (tmp_path / name).touch()
    os.utime(tmp_path / f".b.{os.getpid()}-7.part.mp4", (1, 1))  # older than this process
    transcode(source, tmp_path / "b.mp4", Toy())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[1:], "a.mp4", "b.mp4"])


def test_the_transform_is_applied(tmp_path):
    transcode(make(tmp_path / "a.mp4"), tmp_path / "b.mp4", Toy(swap=True))
    assert np.abs(next(read_frames(tmp_path / "b.mp4"))[20, 8].astype(int) - COLOURS[0][::-1]).max() <= 5


def test_damaged_frames_are_skipped_and_counted(tmp_path):
    raw = bytearray(make(tmp_path / "a.mkv", times=range(0, 2400, 40)).read_bytes())
    for place in np.random.default_rng(0).integers(3000, len(raw), 30):
        raw[place] ^= 0xFF
    (tmp_path / "a.mkv").write_bytes(raw)
    result = transcode(tmp_path / "a.mkv", tmp_path / "b.mp4", Toy())
    assert result.skipped > 0 and 0 < result.frames < 60
    assert len(list(read_frames(tmp_path / "b.mp4"))) == result.frames


def test_a_truncated_file_gives_its_first_frames_unless_its_index_is_lost(tmp_path):
    raw = make(tmp_path / "a.mkv", times=range(0, 2400, 40)).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(raw[: len(raw) // 2])
    assert 0 < transcode(tmp_path / "cut.mkv", tmp_path / "b.mp4", Toy()).frames < 60
    raw = make(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(CamproError, match=r"cut\.mp4: expected a video file, got an unreadable one"):
        transcode(tmp_path / "cut.mp4", tmp_path / "c.mp4", Toy())
    assert not (tmp_path / "c.mp4").exists()


def test_wrong_targets_and_missing_sources_are_refused(tmp_path):
    source = make(tmp_path / "a.mp4")
    for target, why in (
        ("b.avi", "one of .mp4"),
        ("b.webm", r"audio that it can hold.*\.mkv"),
        ("a.mp4", "source itself"),
    ):
        with pytest.raises(CamproError, match=why):
            transcode(source, tmp_path / target, Toy())
    with pytest.raises(CamproError, match="no such file"):
        transcode(tmp_path / "absent.mp4", tmp_path / "b.mp4", Toy())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_full_disk_keeps_the_old_target(tmp_path, monkeypatch):
    source = make(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_text("old")

    def fsync(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CamproError, match="free space"):
        transcode(source, tmp_path / "b.mp4", Toy())
    assert (tmp_path / "b.mp4").read_text() == "old" and len(list(tmp_path.iterdir())) == 2


def test_a_failing_transform_leaves_no_target(tmp_path):
    def broken(rgb):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transcode(make(tmp_path / "a.mp4"), tmp_path / "b.mp4", broken)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_memory_does_not_grow_with_the_length(tmp_path):
    def peak(frames):
        source = make(tmp_path / "a.mp4", (144, 192), range(0, 40 * frames, 40), audio=False)
        tracemalloc.start()
        transcode(source, tmp_path / "b.mp4", Toy())
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(150) < 1.5 * peak(30)


def test_a_rotated_recording_becomes_upright(tmp_path):
    source = make(tmp_path / "a.mp4", audio=False)
    raw = bytearray(source.read_bytes())
    matrix = raw.index(b"tkhd") + 4 + 40  # version 0 of the track header box of ISO 14496-12
    quarter_turn = (0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30)  # clockwise
    raw[matrix : matrix + 36] = struct.pack(">9i", *quarter_turn)
    source.write_bytes(raw)
    transcode(source, tmp_path / "b.mp4", Toy())
    for path in (source, tmp_path / "b.mp4"):
        bars = next(read_frames(path))[8:56:16, 24]  # the left bar is now at the top
        assert np.abs(bars.astype(int) - COLOURS[:3]).max() <= 5


@pytest.fixture
def address(tmp_path):
    """A local server in place of a camera."""
    make(tmp_path / "camera.mkv")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/camera.mkv"
        server.shutdown()


def test_live_video_is_read_to_its_end_or_until_interrupted(address, tmp_path):
    assert is_live(address)
    assert is_live("/dev/video0")
    assert not is_live(tmp_path / "camera.mkv")
    assert transcode(address, tmp_path / "whole.mkv", Toy()).frames == len(UNEVEN)
    assert frame_times(tmp_path / "whole.mkv") == frame_times(tmp_path / "camera.mkv")
    calls = []

    def interrupt():
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    transcode(address, tmp_path / "part.mkv", Toy(), interrupt)
    assert len(list(read_frames(tmp_path / "part.mkv"))) == 3


def test_an_interrupted_file_leaves_no_target(tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transcode(make(tmp_path / "file.mkv"), tmp_path / "out.mkv", Toy(), interrupt)
    assert not (tmp_path / "out.mkv").exists()


def test_a_live_source_that_does_not_respond_is_refused(tmp_path):
    with pytest.raises(CamproError, match="check the address"):
        transcode("http://127.0.0.1:9/nothing", tmp_path / "x.mkv", Toy())
    with pytest.raises(CamproError, match="check the address"):
        transcode("/dev/video99", tmp_path / "x.mkv", Toy())


def test_files_that_name_other_files_are_refused(tmp_path):
    make(tmp_path / "secret.mp4")
    texts = {
        "concat.mp4": "ffconcat version 1.0\nfile secret.mp4\nfile tcp://127.0.0.1:9\n",
        "playlist.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
        "session.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        "manifest.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        "<AdaptationSet><Representation><BaseURL>secret.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(CamproError, match="expected a video file, got an unreadable one"):
            count_frames(tmp_path / name)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi", ".m4v", ".ts", ".mpg", ".3gp"])
def test_containers_that_hold_their_own_data_are_read(tmp_path, suffix):
    with av.open(str(tmp_path / f"a{suffix}"), "w") as container:
        codec = "mpeg2video" if suffix == ".mpg" else "mpeg4"
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture((48, 64)), format="rgb24")))
        container.mux(stream.encode(None))
    assert len(list(read_frames(tmp_path / f"a{suffix}"))) == 5

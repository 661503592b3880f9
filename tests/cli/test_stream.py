"""`campro stream`: what it says, what it puts between source and sink, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.videos import camera, make, read

from campro.cli.main import main
from campro.cli.stream import Config, run, transform_of
from campro.core.errors import CamproError
from campro.isp import Camera


def test_it_warns_that_it_is_no_camera_and_applies_the_profile(tmp_path, capsys):
    make(tmp_path / "a.mkv", 10)
    run(Config(str(tmp_path / "a.mkv"), str(tmp_path / "b.mkv"), stats_json=tmp_path / "s.json"))
    out, err = capsys.readouterr()
    assert out == ""  # the sink may be standard output
    assert "THIS IS NOT A PROTECTED CAMERA" in err
    assert "10 written, 0 dropped" in err
    assert main(["stream", str(tmp_path / "a.mkv"), str(tmp_path / "b.mkv"), "--quiet"]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 1  # the warning alone
    assert json.loads((tmp_path / "s.json").read_text())["written"] == 10
    grey = np.full((2, 2, 3), read(tmp_path / "a.mkv")[1][0].round(), np.uint8)
    assert abs(read(tmp_path / "b.mkv")[1][0] - Camera("campro-default")(grey).mean()) < 3


def test_profile_and_enhancer_follow_each_other():
    assert [step.name for step in transform_of(Config("a", "-", profile="invert")).transforms] == ["invert"]
    assert [step.name for step in transform_of(Config("a", "-", enhancer="none")).transforms] == ["campro-default"]
    alone = transform_of(Config("a", "-", enhancer="auto", fill="black")).transforms
    both = transform_of(Config("a", "-", "campro-default", enhancer="auto")).transforms
    assert [step.name for step in alone] == ["enhanced"]
    assert [step.name for step in both] == ["campro-default", "enhanced"]
    assert alone[0].digest != both[1].digest
    with pytest.raises(CamproError, match="pictures of campro-default"):
        transform_of(Config("a", "-", "invert", enhancer="auto"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.mkv", "b.mkv"], "SOURCE: expected an existing file"),
        (["http://127.0.0.1:9/x", "b.gif"], "SINK: expected"),
        (["http://127.0.0.1:9/x", "http://0.0.0.0:80/"], "http://0.0.0.0:80/: expected http://127.0.0.1:PORT/"),
        (["-", "b.mkv", "--fill", "smooth"], "--fill: expected --enhancer beside it"),
    ],
)
def test_wrong_calls_are_one_line(words, message, capsys):
    assert main(["stream", *words]) == 1
    assert f"campro stream: {message}" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow  # a process that loads libraries and kernels
def test_sigterm_completes_a_file(tmp_path):
    report = tmp_path / "s.json"
    with camera() as port:
        words = [f"http://127.0.0.1:{port}/stream.mjpeg", str(tmp_path / "b.mp4"), "--stats-json", str(report)]
        process = subprocess.Popen([sys.executable, "-m", "campro", "stream", *words])
        while not list(tmp_path.iterdir()):  # the part file
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert len(read(tmp_path / "b.mp4")[0]) == json.loads(report.read_text())["written"] > 2

"""The commands of each camera's page: those that need no camera run in the folder that `campro deploy` writes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from campro.cameras.camera_table import CAMERAS
from campro.cli.main import main
from campro.core.images import read_image, write_image
from campro.deploy import deployment
from campro.deploy.profile_difference import Difference
from campro.isp import Camera, Ccm, GammaLut, load_profile
from campro.isp.limits import camera_profile
from tests.cameras.camera_files import base_for

from .conftest import TONE

HERE, CAMERA, APP = "   # in this folder", "   # on the camera", "   // in the app"
"""Ends of the lines of commands: what runs anywhere, what needs the camera, and what is a line of an app."""
PAGES = {camera.page: camera.name for camera in CAMERAS.values()}
"""Page -> one of its targets."""
MEASURED = ("raspberry-pi", "rkisp1", "software")
"""Pages whose `campro capture` and `campro verify` are run; the same lines are on the others."""


def command_lines(page: str) -> list[str]:
    """Lines of commands of a page, which are indented by four spaces, in lists by seven."""
    text = CAMERAS[PAGES[page]].page_text()
    return [line.strip() for line in text.splitlines() if re.match(r"( {4}| {7})\S", line)]


@pytest.mark.parametrize("page", PAGES)
def test_each_command_says_where_it_runs(page):
    lines = command_lines(page)
    assert [line for line in lines if not any(mark in line for mark in (HERE, CAMERA, APP))] == []
    measured = [line for line in command_lines("raspberry-pi") if line.startswith("campro")]
    own = [line.replace("now.png", "now.jpg") for line in lines if line.startswith("campro")]
    assert own == measured


@pytest.mark.parametrize("page", PAGES)
def test_each_page_has_what_an_engineer_needs(page):
    text = CAMERAS[PAGES[page]].page_text()
    sections = {line[3:] for line in text.splitlines() if line.startswith("## ")}
    assert {"Install", "Check", "Day and night", "Lock-down"} <= sections
    assert "**Secure boot" in text
    assert "Source" in text or "admin-guide/device-mapper/verity" in text or "No public document" in text


@pytest.fixture
def deployed(request, tmp_path, monkeypatch):
    """Folder of a page's target with `campro-strong`, and shots of a camera with a tone curve of its own.

    before.jpg is without the profile, now.jpg with it.
    """
    name, out = PAGES[request.param], tmp_path / "out"
    monkeypatch.setattr(deployment, "difference", lambda *_: Difference(0, 0.0))  # all 2^24 colours take seconds
    base = tmp_path / "base.txt"
    base.write_text(base_for(name))
    deployment.deploy(name, "campro-strong", base if base_for(name) else None, out, True, True)
    scene = np.ascontiguousarray(data.astronaut()[::2, ::2])
    unit, realised = Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), load_profile(out / "realised.json")
    default = camera_profile("default", unit, GammaLut((tuple(TONE.tolist()),)))
    write_image(out / "before.jpg", Camera(default)(scene))
    write_image(out / "now.jpg", Camera(realised)(scene))
    return request.param, out


@pytest.mark.parametrize("deployed", PAGES, indirect=True)
@pytest.mark.slow
def test_the_commands_run_in_the_written_folder(deployed, monkeypatch, capsys):
    page, out = deployed
    monkeypatch.chdir(out)
    for line in command_lines(page):
        command = line.removesuffix(HERE.strip()).strip()
        if HERE not in line:
            continue
        if line.startswith("campro"):
            if page in MEASURED:
                assert main(shlex.split(command)[1:]) == 0, line
        elif shutil.which(shlex.split(command)[0]) is not None:
            command = command.replace("python3", sys.executable)
            done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}: {done.stderr}"
        elif page == "software":
            shutil.copy("now.jpg", "now.png")  # no FFmpeg here
    if page in MEASURED:
        assert "yes: the profile explains the shots best" in capsys.readouterr().out
        shot = Path("now.png" if page == "software" else "now.jpg")
        apart = np.abs(read_image(Path("wanted.png")).astype(int) - read_image(shot))
        exact = page == "software" and shutil.which("ffmpeg") is not None
        assert apart.mean() < (1 if exact else 16), "wanted.png looks like the shot, but for the tone curve"

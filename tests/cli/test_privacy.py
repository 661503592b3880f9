"""No command sends data to anybody, or writes a file outside its output and the cache folder of CamPro."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from skimage import data
from support.traced import run_traced
from support.videos import make

from campro import TELEMETRY_OFF
from campro.cli.main import COMMANDS
from campro.core.images import write_image
from campro.data.collage import extent
from campro.data.facemodel import FaceModel
from campro.data.photographs import PHOTOGRAPHS
from campro.isp import Camera

QUICK = [
    ["targets"],
    ["models"],
    ["data"],
    ["completion", "bash"],
    ["profiles"],
    ["help", "audit"],
    ["deploy", "--target", "software", "-o", "OUT/deployed"],
    ["capture", "OUT/photo.png", "-o", "OUT/captured.png"],
    ["enhance", "OUT/captured.png", "--profile", "campro-default", "-o", "OUT/enhanced.png"],
    ["stream", "OUT/video.mkv", "OUT/streamed.mkv", "--stats-json", "OUT/stats.json"],
]
DATA = ["--faces", "OUT/faces", "--scenes", "OUT/scenes.json"]
AUDIT = ["--few-people", "--repeats", "1", "--baselines", "--enhancer", "none", "--matchers", "nearest"]
OUT = ["--out", "OUT/audit"]
ATTACK = ["--attacks", "no-attack", "colour-maps", "--budget", "quick", "--densities", "125"]
SLOW = [
    ["audit", *DATA, *AUDIT, *OUT, "--attacks", "none", "--adapt-steps", "0"],
    ["attack", *DATA, *AUDIT, *OUT, *ATTACK, "--adapt-steps", "0"],
    ["report", "OUT/audit"],
    ["compare", "OUT/audit", "--plot", "OUT/plot.png"],
    ["range", "OUT/audit", "--hfov", "90", "--plot", "OUT/range.png"],
    ["calibrate", "--default", "OUT/default", "--protected", "OUT/protected", "-o", "OUT/calibrated"],
    ["verify", "--camera-shot", "OUT/protected/a.png", "--default-shot", "OUT/default/a.png"],
    ["design", *DATA, "--preset", "quick", "--rounds", "1", "--out", "OUT/design"],
    ["paper", "--only", "claims", "--out", "OUT/paper"],
    ["serve", "--results", "OUT/audit"],
]
SHORTER = """
import sys
sys.modules["torchmetrics"] = None  # a package of the tests, which Lightning would import
from dataclasses import replace
from campro.data import embedded
from campro.deploy import colour_fit
from campro.design.design_config import PRESETS
colour_fit.STEPS = 3
PRESETS["quick"] = replace(PRESETS["quick"], max_warmup=1)
embedded.FACE_PLANS["test"] = replace(embedded.FACE_PLANS["test"], people=4)
for split, plan in embedded.SCENE_PLANS.items():
    embedded.SCENE_PLANS[split] = replace(plan, collages=2)
"""
"""Shortens the trainings of SLOW, and makes the embedded sample smaller."""
VISIT = """
import os
from pathlib import Path
from campro.core.catalogue import cache_root
os.environ["MPLCONFIGDIR"] = str(cache_root() / "matplotlib")  # as `main` does before it imports a command
from campro.serve import web_server
from starlette.testclient import TestClient

def visit(settings):
    app = web_server.create_app(settings)
    with TestClient(app, base_url=web_server.address(settings)) as client:
        pages = [client.get(tab).status_code for tab in ("/", "/compare", "/results", "/deploy", "/report/")]
        picture = Path("scenes.png").read_bytes()
        for view in ("raw", "captured", "enhanced", "inverted"):
            pages.append(client.post(f"/api/view?profile=campro-default&view={view}", content=picture).status_code)
        pages.append(client.post("/api/deployment?target=software&profile=campro-strong").status_code)
    assert pages == [200] * 10, pages

web_server.serve = visit
"""
"""Replaces the server of `campro serve` by visits of its pages, with an upload."""
ONLY_OF_THESE = {"demo"}
"""Commands that run other commands: design, audit and report."""


def pictures(folder):
    write_image(folder / "photo.png", np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8))
    make(folder / "video.mkv", frames=3)


def people_and_scenes(folder):
    """Faces of four people, a photograph of a person with its box, and two pairs of shots."""
    for person, faces in enumerate(FaceModel.load().sample(4, 3, seed=1)):
        for number, face in enumerate(faces):
            write_image(folder / "faces" / f"p{person}" / f"{number}.png", face)
    photograph = PHOTOGRAPHS["astronaut"]
    write_image(folder / "scenes.png", photograph.read())
    x0, y0, x1, y1 = map(int, extent(photograph.masks()[0]))
    box = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "iscrowd": 0}
    coco = {
        "images": [{"id": 1, "file_name": "scenes.png", "width": 512, "height": 512}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, **box}],
        "categories": [{"id": 1, "name": "person"}],
    }
    (folder / "scenes.json").write_text(json.dumps(coco))
    for name, rgb in (("a", data.coffee()), ("b", data.chelsea())):
        shot = np.ascontiguousarray(cv2.resize(rgb, (384, 256), interpolation=cv2.INTER_AREA))
        write_image(folder / "default" / f"{name}.png", shot)
        write_image(folder / "protected" / f"{name}.png", Camera("campro-default")(shot))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((QUICK, pictures, ""), id="quick", marks=pytest.mark.slow),  # 20 seconds
        pytest.param((SLOW, people_and_scenes, SHORTER + VISIT), id="slow", marks=pytest.mark.slow),  # a minute
    ],
)
def traced(request, tmp_path_factory):
    """What a process did that ran several commands."""
    commands, inputs, setup = request.param
    folder = tmp_path_factory.mktemp("privacy")
    (folder / "out").mkdir()
    inputs(folder / "out")
    trace = run_traced(folder, commands, setup)
    assert trace.codes == [0] * len(commands), f"{trace.codes}\n{trace.errors}"
    return trace


def test_every_command_is_traced():
    assert {words[0] for words in QUICK + SLOW} | ONLY_OF_THESE == set(COMMANDS)


@pytest.mark.slow
def test_switches_are_set_before_the_packages_are_imported(traced):
    assert "onnxruntime" in traced.variables
    assert all(variables == TELEMETRY_OFF for variables in traced.variables.values())


def test_no_command_opens_a_connection(traced):
    assert traced.connections == []


def test_no_file_is_written_outside_the_output_and_the_cache(traced):
    cache, temporary = traced.folder / "home" / ".cache" / "campro", traced.folder / "tmp"
    left = traced.outside(traced.folder / "out", cache, temporary, cache.parent)
    assert left == []
    assert [path for path in cache.parent.glob("*") if path != cache] == []
    assert [path for path in temporary.rglob("*") if path.is_file()] == []  # temporary files are removed


def test_a_value_that_the_user_has_set_is_kept():
    code = "import campro, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"

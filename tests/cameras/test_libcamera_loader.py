"""Written files are read by libcamera's own program: `RPiController::Controller::read` of Debian's ipa_rpi.so.

It runs where the packages libcamera-ipa and libcamera0.0.3 of Debian 12 are installed, or unpacked below the folder
that CAMPRO_LIBCAMERA_ROOT names (.ci/libcamera does that). The version is pinned: names of symbols, and what a release
reads, change. The base files are the package's own; it refuses those of newer releases (-22).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from campro.cameras.libcamera import VC4
from campro.core.errors import CamproError
from campro.isp import load_profile

ROOT = Path(os.environ.get("CAMPRO_LIBCAMERA_ROOT", "/"))
LIBRARY = next(ROOT.glob("usr/lib/*/libcamera.so.0.0.3"), None)
BASES = sorted((ROOT / "usr/share/libcamera/ipa/raspberrypi").glob("*.json"))

LOADER = """
import ctypes, sys

folder, *files = sys.argv[1:]
for name in ("libcamera-base.so.0.0.3", "libcamera.so.0.0.3"):
    ctypes.CDLL(f"{folder}/{name}", ctypes.RTLD_GLOBAL)
program = ctypes.CDLL(f"{folder}/libcamera/ipa_rpi.so")
construct = program._ZN13RPiController10ControllerC1Ev  # RPiController::Controller::Controller()
read = program._ZN13RPiController10Controller4readEPKc  # int RPiController::Controller::read(char const *)
construct.argtypes, read.argtypes, read.restype = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_char_p], ctypes.c_int
for file in files:
    controller = ctypes.create_string_buffer(1 << 16)  # larger than the object
    construct(controller)
    print(read(controller, file.encode()), flush=True)
"""
"""Runs in a process of its own: libcamera ends the process on some unusable files."""

pytestmark = pytest.mark.skipif(
    LIBRARY is None or not BASES,
    reason="libcamera 0.0.3 (Debian 12: libcamera-ipa) is not installed; CAMPRO_LIBCAMERA_ROOT names another root",
)


def results_of(files: list[Path]) -> list[int]:
    """Return value of `read` for each file; shorter than the list if the process ended early."""
    assert LIBRARY is not None
    folder = str(LIBRARY.parent)
    words = [sys.executable, "-c", LOADER, folder, *map(str, files)]
    environment = {**os.environ, "LD_LIBRARY_PATH": folder}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert "cannot open shared object" not in done.stderr, done.stderr
    return [int(line) for line in done.stdout.split()]


@pytest.mark.parametrize("name", ["campro-default", "campro-strong"])
def test_libcamera_reads_every_written_file(name, tmp_path):
    held = VC4.limits.realised(VC4.limits.fitted(load_profile(name)))
    written = []
    for base in BASES:
        try:
            text = VC4.write(held, base.read_text())[VC4.FILE]
        except CamproError as error:
            assert "mono" in base.name, error
            continue
        written.append(tmp_path / base.name)
        written[-1].write_text(text)
    assert len(written) > 10
    assert results_of(written) == [0] * len(written)


@pytest.mark.parametrize("fault", ["two equal temperatures", "a falling x", "an alias"])
def test_libcamera_refuses_faulty_files(fault, tmp_path):
    """The control: the program does check what it reads."""
    document = json.loads(next(base for base in BASES if base.name == "imx219.json").read_text())
    settings = {name: value for entry in document["algorithms"] for name, value in entry.items()}
    if fault == "two equal temperatures":
        settings["rpi.ccm"]["ccms"][1]["ct"] = settings["rpi.ccm"]["ccms"][0]["ct"]
    if fault == "a falling x":
        settings["rpi.contrast"]["gamma_curve"][2:4] = settings["rpi.contrast"]["gamma_curve"][4:6]
    text = json.dumps(document)
    if fault == "an alias":
        text = text.replace("4096", "&x 4096", 1).replace('"algorithms"', '"other": *x, "algorithms"')
    (tmp_path / "faulty.json").write_text(text)
    assert results_of([tmp_path / "faulty.json"]) != [0]

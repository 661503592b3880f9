"""No command sends data to anybody, or writes a file outside its output and the cache folder of CamPro."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from campro import TELEMETRY_OFF
from campro.core.images import write_image

COMMANDS = [
    ["targets"],
    ["models"],
    ["data"],
    ["completion", "bash"],
    ["deploy", "--target", "software", "-o", "OUT/deployed"],
    ["capture", "OUT/photo.png", "-o", "OUT/captured.png"],
    ["enhance", "OUT/captured.png", "--profile", "campro-default", "-o", "OUT/enhanced.png"],
]
RUN = """
import json, os, sys
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
calls, variables, switches = [], {}, json.loads(sys.argv[2])

def watch(event, args):
    if event in NETWORK:
        calls.append(f"{event} {args}")
    elif event == "import" and args[0] in ("onnxruntime", "ray", "ultralytics"):
        variables.setdefault(args[0], {name: os.environ.get(name) for name in switches})

sys.addaudithook(watch)
from campro.cli.main import main
codes = [main(command) for command in json.loads(sys.argv[1])]
with open(sys.argv[3], "w") as file:
    json.dump({"calls": calls, "variables": variables, "codes": codes}, file)
"""
STRACE = shutil.which("strace")


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """The folder of a process that ran the commands: home/ and out/, and what the process did in result.json."""
    folder = tmp_path_factory.mktemp("privacy")
    for name in ("home", "out", "tmp"):
        (folder / name).mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    write_image(folder / "out" / "photo.png", noise)
    commands = [[word.replace("OUT", str(folder / "out")) for word in command] for command in COMMANDS]
    hidden = {"CAMPRO_CACHE", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", *TELEMETRY_OFF}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    call = [sys.executable, "-c", RUN, json.dumps(commands), json.dumps(TELEMETRY_OFF), str(folder / "result.json")]
    if STRACE:  # sees what native code does, too
        call = [STRACE, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(folder / "trace"), *call]
    done = subprocess.run(call, cwd=folder / "out", env=environment, capture_output=True, text=True, check=False)
    assert (folder / "result.json").is_file(), done.stderr
    return folder


def test_switches_are_set_before_the_packages_are_imported(traced):
    result = json.loads((traced / "result.json").read_text())
    assert result["codes"] == [0] * len(COMMANDS)
    assert "onnxruntime" in result["variables"]
    assert all(variables == TELEMETRY_OFF for variables in result["variables"].values())


def test_no_command_opens_a_connection(traced):
    assert json.loads((traced / "result.json").read_text())["calls"] == []
    if STRACE:
        lines = (traced / "trace").read_text(errors="replace").splitlines()
        assert [line for line in lines if "AF_INET" in line or "sin_port" in line] == []


def test_no_file_is_written_outside_the_output_and_the_cache(traced):
    written = [path.relative_to(traced) for path in traced.rglob("*") if path.is_file()]
    ours = (Path("out"), Path("home/.cache/campro"))
    known = {Path("result.json"), Path("trace")}
    left = [path for path in written if path not in known and not any(path.is_relative_to(place) for place in ours)]
    assert left == []


def test_a_value_that_the_user_has_set_is_kept():
    code = "import campro, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"

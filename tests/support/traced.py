"""Commands in another process with an empty home folder, and what that process did: connections and written files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from campro import TELEMETRY_OFF

RUN = """
import json, os, sys
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
MADE = ("os.mkdir", "os.rename", "os.link", "os.symlink", "sqlite3.connect")
calls, written, variables, switches = [], [], {}, json.loads(sys.argv[2])

def path_of(name):
    return None if isinstance(name, int) else os.path.abspath(os.fsdecode(name))

def watch(event, args):
    if event in NETWORK:
        calls.append(f"{event} {args}")
    elif event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(path_of(args[0]))
    elif event in MADE:
        written.append(path_of(args[1 if event in MADE[1:4] else 0]))
    elif event == "import" and args[0] in ("onnxruntime", "ray", "ultralytics"):
        variables.setdefault(args[0], {name: os.environ.get(name) for name in switches})

sys.addaudithook(watch)
exec(sys.argv[4])
from campro.cli.main import main
codes = [main(command) for command in json.loads(sys.argv[1])]
result = {"calls": calls, "written": [path for path in written if path], "variables": variables, "codes": codes}
with open(sys.argv[3], "w") as file:
    json.dump(result, file)
"""
STRACE = shutil.which("strace")
NETWORK_CALLS = "connect,sendto,sendmsg,sendmmsg"
FILE_CALLS = "open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
FILE_CALL = re.compile(
    r'(?:open(?:at)?\(.*?"(?P<opened>[^"]*)", (?P<flags>[A-Z_|0-9]+)|[a-z0-9]+\(.*"(?P<made>[^"]*)")'
)


@dataclass(frozen=True)
class Trace:
    """What a process did."""

    folder: Path
    """With its home/, its tmp/, and the out/ of the commands, in which it ran."""
    codes: list[int]
    """Exit status of each command."""
    connections: list[str]
    """Look-ups and connections to other machines."""
    written: set[Path]
    """Files and folders that were opened for writing, made or renamed."""
    variables: dict[str, dict[str, str | None]]
    """Values of `TELEMETRY_OFF` when a package that sends data was imported."""
    errors: str

    def outside(self, *allowed: Path) -> list[Path]:
        """What was written outside the allowed folders, devices and compiled code of Python and numba."""
        devices = (Path("/dev"), Path("/proc"), self.folder / "result.json", self.folder / "trace")
        return sorted(
            path
            for path in self.written
            if not any(path.is_relative_to(place) for place in (*allowed, *devices)) and "__pycache__" not in path.parts
        )


def run_traced(folder: Path, commands: list[list[str]], setup: str = "") -> Trace:
    """Run commands of campro in `folder`, after the code `setup`; OUT in their words stands for its folder out/.

    The process has an audit hook of Python and, where it is installed, strace, which also records native code.
    """
    for name in ("home", "out", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    replaced = [[word.replace("OUT", str(folder / "out")) for word in command] for command in commands]
    hidden = {"CAMPRO_CACHE", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", *TELEMETRY_OFF}
    hidden.add("TORCHINDUCTOR_CACHE_DIR")  # set by PyTorch itself in processes that compile
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    given = [json.dumps(replaced), json.dumps(TELEMETRY_OFF), str(folder / "result.json"), setup]
    call = [sys.executable, "-c", RUN, *given]
    if STRACE:
        trace = f"trace={NETWORK_CALLS},{FILE_CALLS}"
        call = [STRACE, "-f", "--seccomp-bpf", "-qq", "-s", "512", "-e", trace, "-o", str(folder / "trace"), *call]
    done = subprocess.run(call, cwd=folder / "out", env=environment, capture_output=True, text=True, check=False)
    assert (folder / "result.json").is_file(), done.stderr
    result = json.loads((folder / "result.json").read_text())
    lines = (folder / "trace").read_text(errors="replace").splitlines() if STRACE else []
    remote = [line for line in lines if "AF_INET" in line or "sin_port" in line]
    native = {folder / "out" / name for line in lines if (name := _written(line))}
    written = {Path(name) for name in result["written"]} | native
    return Trace(folder, result["codes"], result["calls"] + remote, written, result["variables"], done.stderr)


def _written(line: str) -> str | None:
    """The file that a line of strace says was written; None for other calls and calls that failed.

    >>> _written('7 openat(AT_FDCWD, "/a", O_WRONLY|O_CREAT, 0666) = 3')
    '/a'
    >>> _written('7 openat(AT_FDCWD, "/a", O_RDONLY|O_CLOEXEC) = 3')
    >>> _written('7 rename("/a", "/b") = 0')
    '/b'
    """
    if "= -1 " in line or any(f"{name}(" in line for name in NETWORK_CALLS.split(",")):
        return None
    found = FILE_CALL.search(line)
    if found is None:
        return None
    if found["opened"] is None:
        return found["made"]
    writing = {"O_WRONLY", "O_RDWR", "O_CREAT"} & set(found["flags"].split("|"))
    return found["opened"] if writing else None

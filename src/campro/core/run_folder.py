"""Run folders: everything that long work writes, so that killed work resumes and ends with the same result.

config.json    the configuration; another configuration is refused
meta.json      origin (commit, versions, machine) and input hashes of every start
state.pt       the newest state, replaced as a whole
metrics.jsonl  one JSON line per logged step
cells.jsonl    one JSON line per finished result, with its origin and checksum
run.lock       locked while a process writes this run; its process id
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from campro.core.atomic_io import append_line, atomic_write, remove_stale_parts
from campro.core.cells import Cell, CellFile, Json
from campro.core.errors import CamproError
from campro.core.folder_lock import FolderLock, lock_folder
from campro.core.hashing import canonical_json
from campro.core.provenance import current_origin
from campro.core.state_file import read_state, write_state
from campro.core.typed_json import as_plain

STATE = "state.pt"


class RunFolder:
    """One folder of long work; made by `RunFolder.open`, which also continues what a kill has interrupted."""

    def __init__(self, path: Path, config: dict[str, Json]) -> None:
        self.path, self.config = path, config
        self._lock: FolderLock | None = None
        self._cells = CellFile(path / "cells.jsonl")

    @staticmethod
    def open(path: Path, config: Mapping[str, Json], *, inputs: Mapping[str, str] | None = None) -> RunFolder:
        """Start or resume the run in `path`, which no other process may write until the object is deleted.

        Args:
            path: the folder; made where it does not exist.
            config: what must not change between a start and its resumption.
            inputs: name to SHA-256 of every file or set on which the result depends.

        Raises:
            CamproError: for a folder of another configuration or other inputs, where the differences are named; for a
                folder that another process writes, or whose files are damaged.
        """
        run = RunFolder(Path(path), as_plain(config))
        run._lock = lock_folder(run.path)
        run._claim("config.json", run.config)
        remove_stale_parts(run.path)
        run._cells.drop_partial_line()
        run._write_meta(dict(inputs or {}))
        run._keep_lines(lambda record: True)
        return run

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Replace the saved state: tensors, numbers, text and containers of them; all or nothing.

        Raises:
            CamproError: for other values, or a full disk; the old state is kept.
        """
        write_state(self.path / STATE, state)

    def load_state(self) -> dict[str, Any] | None:
        """The newest saved state with its tensors on the CPU, or None where none was saved yet.

        Raises:
            CamproError: for a damaged file.
        """
        remedy = "delete this file to begin this run anew; its finished cells are kept"
        return read_state(self.path / STATE, remedy)

    def log(self, record: Mapping[str, Json]) -> None:
        """Append one line to metrics.jsonl; `rewind` drops records by their "step".

        Raises:
            CamproError: for a number that is not finite, or a full disk; earlier lines are kept.
        """
        append_line(self.path / "metrics.jsonl", canonical_json(dict(record)) + "\n")

    def rewind(self, step: int) -> None:
        """Drop the logged records of steps after `step`, which the loaded state does not include."""
        self._keep_lines(lambda record: record.get("step", step) <= step)

    def metrics(self) -> list[dict[str, Json]]:
        """All logged records, oldest first."""
        file = self.path / "metrics.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def cell(self, key: Mapping[str, Json]) -> Json | None:
        """The finished result of `key`, None where it is still to be computed."""
        found = self._cells.get(key)
        return None if found is None else found.value

    def write_cell(self, key: Mapping[str, Json], value: Json) -> None:
        """Store the finished result of `key`: dataclasses or plain JSON, without NaN."""
        self._cells.add(key, value)

    def copy_cell(self, cell: Cell) -> None:
        """Store a finished result of another run, which keeps its origin."""
        self._cells.copy(cell)

    def cells(self) -> list[Cell]:
        """All finished results with their origins."""
        return self._cells.all()

    def _claim(self, name: str, wanted: dict[str, Json]) -> None:
        """Write `wanted` to a new run, or compare it with what the run was started with."""
        file = self.path / name
        if not file.exists():
            atomic_write(file, canonical_json(wanted) + "\n")
        elif differing := _differences(_read_json(file), json.loads(canonical_json(wanted))):
            remedy = f"use another run folder, or undo the change of {', '.join(differing)}"
            raise CamproError(str(self.path), f"the {name} that this run was started with", "another one", remedy)

    def _write_meta(self, inputs: dict[str, str]) -> None:
        """Record this start; inputs with other content than at any earlier start are refused.

        An input that an earlier start did not have is fine: a run may be extended.
        """
        file = self.path / "meta.json"
        starts = _read_starts(file) if file.exists() else []
        earlier = {name: digest for start in starts for name, digest in start["inputs_sha256"].items()}
        common = earlier.keys() & inputs.keys()
        if differing := _differences({n: earlier[n] for n in common}, {n: inputs[n] for n in common}):
            remedy = f"use another run folder, or restore {', '.join(differing)}"
            raise CamproError(str(self.path), "the inputs that this run was started with", "other ones", remedy)
        now = as_plain(current_origin()) | {"threads": torch.get_num_threads(), "inputs_sha256": inputs}
        if not starts or now != starts[-1]:
            atomic_write(file, json.dumps({"starts": [*starts, now]}, indent=1) + "\n")

    def _keep_lines(self, keep: Callable[[dict[str, Json]], bool]) -> None:
        """Rewrite metrics.jsonl with the records to keep; a last line cut short by a kill goes too."""
        file = self.path / "metrics.jsonl"
        if not file.exists():
            return
        old = file.read_bytes()
        whole = old[: old.rfind(b"\n") + 1].decode(errors="replace").splitlines(keepends=True)
        try:
            new = "".join(line for line in whole if keep(json.loads(line))).encode()
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise CamproError(str(file), "one JSON record a line", reason, "remove the damaged line") from error
        if new != old:
            atomic_write(file, new)


def _read_json(file: Path) -> Json:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        reason = f"a damaged file ({' '.join(str(error).split())})"
        raise CamproError(str(file), "readable JSON", reason, "use another run folder") from error


def _read_starts(file: Path) -> list[dict[str, Json]]:
    content = _read_json(file)
    starts = content.get("starts") if isinstance(content, dict) else None
    if not isinstance(starts, list) or not all(
        isinstance(start, dict) and isinstance(start.get("inputs_sha256"), dict) for start in starts
    ):
        raise CamproError(str(file), "the starts of a run with their inputs", "other JSON", "use another run folder")
    return starts


def _differences(old: Json, new: Json, prefix: str = "") -> list[str]:
    """Dotted names of the entries in which two JSON trees differ, each with both values."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{prefix.rstrip('.')} ({json.dumps(old)} -> {json.dumps(new)})"]
    absent = "absent"
    names = sorted(old.keys() | new.keys())
    return [line for n in names for line in _differences(old.get(n, absent), new.get(n, absent), f"{prefix}{n}.")]

"""Run folders: everything that long work leaves behind, so that killed work goes on to the same result.

config.json    what was asked for; another configuration is refused
meta.json      commit, versions, machine and input hashes of every start
state.pt       the newest state, replaced whole
metrics.jsonl  one JSON line per logged step
cells/         one file per finished result, named by the digest of its key
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from campro.core.atomic_io import atomic_write, remove_stale_parts
from campro.core.errors import CamproError
from campro.core.hashing import canonical_json, json_digest
from campro.core.provenance import stamp

Json = Any
"""Plain JSON: None, bool, finite numbers, text, and lists and text-keyed dictionaries of these."""


def as_plain(value: Any) -> Json:
    """A configuration as plain JSON values: dataclasses become dictionaries, paths text, tuples lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(item) for item in value]
    return str(value) if isinstance(value, os.PathLike) else value


class RunFolder:
    """One folder of long work; made by `RunFolder.open`, which also continues what a kill has interrupted."""

    def __init__(self, path: Path, config: dict[str, Json]) -> None:
        self.path, self.config = path, config

    @staticmethod
    def open(path: Path, config: Mapping[str, Json], *, inputs: Mapping[str, str] | None = None) -> RunFolder:
        """Start or continue the run in `path`; `inputs` names the SHA-256 of every file or set the result rests on.

        A folder that was started with another configuration or other inputs is refused, the differences named.
        """
        run = RunFolder(Path(path), as_plain(config))
        run._claim("config.json", run.config)
        remove_stale_parts(run.path)
        run._write_meta(dict(inputs or {}))
        run._keep_lines(lambda record: True)
        return run

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Replace the saved state: tensors, numbers, text and containers of them; all or nothing."""
        _check_loadable(state, "state")
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        atomic_write(self.path / "state.pt", buffer.getbuffer())

    def load_state(self) -> dict[str, Any] | None:
        """The newest saved state with its tensors on the CPU, or None where none was saved yet."""
        file = self.path / "state.pt"
        if not file.exists():
            return None
        try:
            with zipfile.ZipFile(file) as archive:  # torch itself reads flipped bits without a word
                if broken := archive.testzip():
                    raise ValueError(f"wrong checksum of {broken}")
            state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged pickle or zip can raise anything
            remedy = "delete this file to begin this run anew; its finished cells are kept"
            raise CamproError(str(file), "a saved state", f"a damaged file ({_first_line(error)})", remedy) from error
        return dict(state)

    def log(self, record: Mapping[str, Json]) -> None:
        """Append one line to metrics.jsonl; a record has a "step", by which `rewind` knows it."""
        line = canonical_json(dict(record)) + "\n"
        file = self.path / "metrics.jsonl"
        before = file.stat().st_size if file.exists() else 0
        try:
            with file.open("a") as lines:
                lines.write(line)
        except OSError as error:
            if file.exists():
                os.truncate(file, before)
            remedy = "free space and run the same command again; finished work is kept"
            raise CamproError(str(file), "to add a line", error.strerror or str(error), remedy) from error

    def rewind(self, step: int) -> None:
        """Drop the logged records of steps after `step`: those that the loaded state has not seen."""
        self._keep_lines(lambda record: record.get("step", step) <= step)

    def metrics(self) -> list[dict[str, Json]]:
        """All logged records, oldest first."""
        file = self.path / "metrics.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def cell(self, key: Mapping[str, Json]) -> Json | None:
        """The finished result under `key`, or None where it still has to be computed."""
        file = self._cell_file(key)
        return _read_cell(file)["value"] if file.exists() else None

    def write_cell(self, key: Mapping[str, Json], value: Json) -> None:
        """Store the finished result of `key`: plain JSON without NaN."""
        canonical_json(value)
        text = json.dumps({"key": as_plain(key), "value": value}, sort_keys=True, indent=1, allow_nan=False)
        atomic_write(self._cell_file(key), text + "\n")

    def cells(self) -> list[dict[str, Json]]:
        """All finished results as {"key", "value"}, in the order of their file names."""
        return [_read_cell(file) for file in sorted((self.path / "cells").glob("*.json"))]

    def _cell_file(self, key: Mapping[str, Json]) -> Path:
        return self.path / "cells" / f"{json_digest(as_plain(key))}.json"

    def _claim(self, name: str, wanted: dict[str, Json]) -> None:
        """Write `wanted` to a new run, or compare it with what the run was started with."""
        file = self.path / name
        if not file.exists():
            atomic_write(file, canonical_json(wanted) + "\n")
        elif differing := _differences(_read_json(file), json.loads(canonical_json(wanted))):
            remedy = f"use another run folder, or undo the change of {', '.join(differing)}"
            raise CamproError(str(self.path), f"the {name} that this run was started with", "another one", remedy)

    def _write_meta(self, inputs: dict[str, str]) -> None:
        """Record this start; inputs that are no longer the same bytes are refused like a changed configuration."""
        file = self.path / "meta.json"
        starts = _read_json(file)["starts"] if file.exists() else []
        if starts and (differing := _differences(starts[0]["inputs_sha256"], inputs)):
            remedy = f"use another run folder, or restore {', '.join(differing)}"
            raise CamproError(str(self.path), "the inputs that this run was started with", "other ones", remedy)
        now = stamp(inputs)
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
        except ValueError as error:
            raise CamproError(str(file), "one JSON record a line", str(error), "remove the damaged line") from error
        if new != old:
            atomic_write(file, new)


def _check_loadable(value: Any, place: str) -> None:
    """Refuse now what the safe loader would refuse when the run is resumed, such as NumPy numbers."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            _check_loadable(name, f"{place} key")
            _check_loadable(item, f"{place}.{name}")
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            _check_loadable(item, f"{place}[{number}]")
    elif not isinstance(value, torch.Tensor) and type(value) not in (type(None), bool, int, float, str):
        kind = f"{type(value).__module__}.{type(value).__name__}"
        raise CamproError(place, "a tensor, number, text or None", kind, "convert it before saving")


def _read_cell(file: Path) -> dict[str, Json]:
    cell = _read_json(file)
    if not isinstance(cell, dict) or set(cell) != {"key", "value"} or json_digest(cell["key"]) != file.stem:
        raise CamproError(str(file), "a result under its own key", "another content", "delete this file and run again")
    return cell


def _read_json(file: Path) -> Json:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as error:
        remedy = "delete this file and run again" if file.parent.name == "cells" else "use another run folder"
        raise CamproError(str(file), "readable JSON", f"a damaged file ({error})", remedy) from error


def _differences(old: Json, new: Json, prefix: str = "") -> list[str]:
    """Dotted names of the entries in which two JSON trees differ, each with both values."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{prefix.rstrip('.')} ({json.dumps(old)} -> {json.dumps(new)})"]
    absent = "absent"
    names = sorted(old.keys() | new.keys())
    return [line for n in names for line in _differences(old.get(n, absent), new.get(n, absent), f"{prefix}{n}.")]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]

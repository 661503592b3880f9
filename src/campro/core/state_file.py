"""States of trainings in files: tensors, numbers and text, loaded without running any code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from campro.core.atomic_io import atomic_write
from campro.core.errors import CamproError


def write_state(file: Path, state: Mapping[str, Any]) -> None:
    """Replace a file by a state of tensors, numbers, text, None, and lists and mappings of them; all or nothing.

    Raises:
        CamproError: for other values, or a full disk; the old file is kept.
    """
    _check_loadable(state, "state")
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    atomic_write(file, buffer.getbuffer())


def read_state(file: Path, remedy: str) -> dict[str, Any] | None:
    """The state in a file with its tensors on the CPU, or None where there is no file.

    Args:
        file: as `write_state` wrote it.
        remedy: what to do about a damaged file, for the error.

    Raises:
        CamproError: for a damaged file.
    """
    if not file.exists():
        return None
    try:
        with zipfile.ZipFile(file) as archive:  # torch itself does not notice flipped bits
            if broken := archive.testzip():
                raise ValueError(f"wrong checksum of {broken}")
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle or zip can raise anything
        first = (str(error).splitlines() or [type(error).__name__])[0][:120]
        reason = f"a damaged file ({first})"
        raise CamproError(str(file), "a saved state", reason, remedy) from error
    return dict(state)


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

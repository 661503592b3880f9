"""Arrays in the cache folder: ZIP archives (.npz) with a CRC-32 of each array, under a key that names their content."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from campro.core.atomic_io import replacing
from campro.core.cache_file import unless_read_only
from campro.core.catalogue import cache_root
from campro.core.errors import CamproError

Arrays = dict[str, np.ndarray]


def cached_arrays(kind: str, key: str, compute: Callable[[], Arrays]) -> Arrays:
    """The arrays of this key from the cache folder; computed and stored, readable by their owner alone, if absent.

    Args:
        kind: what the arrays are; the name of a folder.
        key: hexadecimal digest of all that decides their content, the version of the algorithm included.
        compute: computes them.

    Raises:
        CamproError: for a damaged file.
    """
    file = cache_root() / kind / f"{key}.npz"
    if file.is_file():
        return _read(file, kind)
    arrays = compute()
    unless_read_only(file, lambda: _write(file, arrays))
    return arrays


def _read(file: Path, kind: str) -> Arrays:
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        reason = f"a damaged file ({' '.join(str(error).split())[:80]})"
        raise CamproError(str(file), f"cached {kind}", reason, "delete this file and run again") from error


def _write(file: Path, arrays: Arrays) -> None:
    with replacing(file) as part, open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]

"""Atomic writes: a kill, a crash or a full disk never leaves an incomplete file."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from campro.core.errors import CamproError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a part file in the folder of `path`, and rename it to `path` when the block ends without an error.

    After an error the part file is removed and the old file at `path` stays. The name of the part file is unique to
    the thread, so that several workers may write the same file at once, and ends in the suffix of `path`, by which
    encoders choose a format.

    Raises:
        CamproError: instead of any OSError in the block or of the rename.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _sync(part)
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        action = "free space" if error.errno in _FULL else "make the folder writable"
        remedy = f"{action} and run the same command again; finished work is kept"
        raise CamproError(str(path), "to write this file", error.strerror or str(error), remedy) from error
    finally:
        with suppress(OSError):
            part.unlink()


def atomic_write(path: Path, data: bytes | memoryview | str) -> None:
    """Write `data` (text as UTF-8) to `path` completely or not at all; missing parent folders are created.

    Raises:
        CamproError: if the file cannot be written.
    """
    raw = data.encode() if isinstance(data, str) else data
    with replacing(Path(path)) as part:
        part.write_bytes(raw)


def remove_stale_parts(folder: Path, older_than: float = 3600.0) -> None:
    """Remove part files of killed processes from `folder`: those last changed more than `older_than` seconds ago."""
    for part in folder.glob(".*.part*"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > older_than:
                part.unlink()


def _sync(path: Path) -> None:
    """Write the data to the disk before the rename; a full disk is often reported only here."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Write the rename to the disk, on systems that can open a folder (not Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

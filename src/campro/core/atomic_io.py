"""Writing files so that a kill, a crash or a full disk never leaves half a file behind."""

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
    """Lend a part file in the folder of `path`; it takes the place of `path` when the block ends without error.

    Whatever goes wrong, the part file is removed and the old `path` stays. An OSError becomes a CamproError that
    says what could not be written. The part file's name is this thread's own, so that several workers may write
    the same (content-addressed) file at once, and it ends in the suffix of `path`, by which encoders pick a format.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _sync(part)
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        cure = "free space" if error.errno in _FULL else "make the folder writable"
        remedy = f"{cure} and run the same command again; finished work is kept"
        raise CamproError(str(path), "to write this file", error.strerror or str(error), remedy) from error
    finally:
        with suppress(OSError):
            part.unlink()


def atomic_write(path: Path, data: bytes | memoryview | str) -> None:
    """Write `data` (text as UTF-8) whole or not at all; missing parent folders are made."""
    raw = data.encode() if isinstance(data, str) else data
    with replacing(Path(path)) as part:
        part.write_bytes(raw)


def remove_stale_parts(folder: Path, older_than: float = 3600.0) -> None:
    """Remove part files that a killed process left in `folder`: those untouched for `older_than` seconds."""
    for part in folder.glob(".*.part*"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > older_than:
                part.unlink()


def _sync(path: Path) -> None:
    """Force the bytes to the disk: a rename must never overtake the data it names. Disk-full often shows here."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be opened (not on Windows)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

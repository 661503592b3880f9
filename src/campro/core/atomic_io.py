"""Atomic writes: a kill, a crash or a full disk never leaves an incomplete file."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from campro.core.errors import CamproError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_STARTED = time.time()
"""About when this process started, in seconds."""


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


def append_line(path: Path, line: str, *, sync: bool = False) -> None:
    """Append a line, with its end, to a text file; after an error the file is as long as before.

    Args:
        path: the file; it and its folder are made where they do not exist.
        line: text that ends in a line end.
        sync: whether the line must be on disk before the call returns.

    Raises:
        CamproError: where the line cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat().st_size if path.exists() else 0
    try:
        with path.open("a") as file:
            file.write(line)
            if sync:
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        if path.exists():
            os.truncate(path, before)
        remedy = "free space and run the same command again; finished work is kept"
        raise CamproError(str(path), "to add a line", error.strerror or str(error), remedy) from error


def remove_stale_parts(folder: Path, older_than: float = 3600.0) -> None:
    """Remove part files of killed processes from `folder`: those last changed more than `older_than` seconds ago."""
    for part in folder.glob(".*.part*"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > older_than:
                part.unlink()


def remove_dead_parts(path: Path) -> None:
    """Remove the part files that killed processes of this machine left for the target `path`."""
    head, tail = f".{path.stem}.", f".part{path.suffix}"
    for part in path.parent.glob(f"{escape(head)}*{escape(tail)}"):
        process = part.name[len(head) : len(part.name) - len(tail)].split("-")[0]
        if process.isdecimal() and not _is_writing(int(process), part):
            with suppress(OSError):
                part.unlink()


def _is_writing(process: int, part: Path) -> bool:
    """Whether the process may still write its part file; in containers another one may have got the same number."""
    if process == os.getpid():
        return part.stat().st_mtime >= _STARTED
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's process, or no number of a process
        return True
    return True


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

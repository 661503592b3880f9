"""A lock on a folder, so that two processes do not write into one run."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from weakref import WeakValueDictionary, finalize

from campro.core.errors import CamproError

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = "run.lock"
RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
"""Variables with the number of a process of one training; they are 0 or unset in the first."""
_HELD = (errno.EWOULDBLOCK, errno.EACCES)


class FolderLock:
    """A lock that is held while the object is referenced, at most until the process ends."""

    def __init__(self, handle: int) -> None:
        finalize(self, os.close, handle)


_locks: WeakValueDictionary[tuple[int, int], FolderLock] = WeakValueDictionary()
"""Locks of this process, by device and inode of the lock file."""


def lock_folder(folder: Path) -> FolderLock | None:
    """Lock a folder, which is made if it does not exist, for this process; another lock in this process is shared.

    Returns None where a system or file system has no locks; for a folder that cannot be written, since the first write
    reports that; and in the further processes of a training on several devices, whose first process has the lock.

    Raises:
        CamproError: if another process has locked the folder.
    """
    if fcntl is None or any(os.environ.get(name, "0") not in ("", "0") for name in RANKS):
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return None
    status = os.fstat(handle)
    place = (status.st_dev, status.st_ino)
    if (held := _locks.get(place)) is not None:
        os.close(handle)
        return held
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        if error.errno not in _HELD:
            return None
        remedy = "wait for it, or use another run folder"
        raise CamproError(
            str(folder), "a run folder that no other process writes", f"one of process {owner}", remedy
        ) from error
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    lock = _locks[place] = FolderLock(handle)
    return lock

"""Downloads that are resumed after an interruption and verified before use."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from campro.core.catalogue import asset, cache_root, steps
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256

CHUNK = 1 << 18
TIMEOUT_SECONDS = 30.0


def fetch(name: str, progress: Callable[[int, int | None], object] = lambda done, total: None) -> Path:
    """Download an asset into the cache folder, unless it is there already, and return its path.

    An interrupted download keeps its `.part` file, and the next call resumes it. The file gets its name only after its
    SHA-256 is verified; a file with a wrong one is deleted.

    Args:
        name: key of `ASSETS`.
        progress: called with the bytes received so far, and in total (None if unknown).

    Raises:
        CamproError: if the asset has no address, or the download fails or has a wrong hash.
    """
    entry = asset(name)
    if entry.url is None or entry.sha256 is None:
        raise CamproError("fetch", "an asset with a public address", name, steps(entry))
    target = cache_root() / entry.path
    if not target.is_file() or file_sha256(target) != entry.sha256:
        _download(entry.url, target, entry.sha256, progress)
    return target


def _download(url: str, target: Path, expected: str, progress: Callable[[int, int | None], object]) -> None:
    part = target.with_name(target.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _receive(url, part, progress)
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        received = part.stat().st_size if part.exists() else 0
        remedy = f"run the same command again to resume at byte {received:,}"
        raise CamproError(url, "to download this file", _reason(error), remedy) from error
    got = file_sha256(part)
    if got != expected:
        part.unlink()
        remedy = "the download was deleted; try again, and do not use the file if it happens twice"
        raise CamproError(url, f"SHA-256 {expected[:12]}...", f"{got[:12]}...", remedy)
    part.replace(target)


def _receive(url: str, part: Path, progress: Callable[[int, int | None], object]) -> None:
    """Append the missing bytes to `part`; begin again if the server does not support ranges."""
    received = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={received}-"} if received else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416 and received:  # nothing is missing; a part that is too long has a wrong hash
            return
        raise
    with response:
        done = received if response.status == 206 else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        with part.open("ab" if done else "wb") as file:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(done, total)
    if total is not None and done < total:
        raise ConnectionError(f"the connection closed after {done:,} of {total:,} bytes")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return str(getattr(error, "reason", error)) or type(error).__name__

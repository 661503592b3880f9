"""Downloads that go on where they broke off and are checked before anyone can use them."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from campro.core.atomic_io import atomic_write
from campro.core.catalogue import asset, cache_root
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256

CHUNK = 1 << 18
TIMEOUT_SECONDS = 30.0


def fetch(
    name: str, progress: Callable[[int, int | None], object] = lambda done, total: None, sha256: str | None = None
) -> Path:
    """Download an asset into the cache folder and return its path; a file that is there already stays.

    A broken download keeps its `.part` file and goes on from there at the next call. The file gets its name only
    after its SHA-256 was found right; a wrong one is deleted. Where the publisher gives no hash, `sha256` must
    come from the user, who vouches for it: what a wire brings is never trusted on its own word.
    `progress` is told the bytes done and in all.
    """
    entry = asset(name)
    wanted = entry.sha256 or sha256
    if entry.url is None:
        remedy = f"point CAMPRO_DATA at a folder that holds {entry.path} ({entry.source})"
        raise CamproError("fetch", "an asset with a public address", name, remedy)
    if wanted is None:
        remedy = f"pass --sha256 with the hash that you trust for {entry.url}"
        raise CamproError("fetch", f"a SHA-256 to check {name} against", "none in the catalogue", remedy)
    target = cache_root() / entry.path
    if not target.is_file() or file_sha256(target) != wanted.lower():
        _download(entry.url, target, wanted.lower(), progress)
    if entry.sha256 is None:
        atomic_write(target.with_name(target.name + ".sha256"), wanted.lower() + "\n")
    return target


def _download(url: str, target: Path, wanted: str, progress: Callable[[int, int | None], object]) -> None:
    part = target.with_name(target.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _receive(url, part, progress)
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        have = part.stat().st_size if part.exists() else 0
        remedy = f"run the same command again to go on from byte {have:,}"
        raise CamproError(url, "to download this file", _reason(error), remedy) from error
    got = file_sha256(part)
    if got != wanted:
        part.unlink()
        remedy = "the download was deleted; try again, and do not use the file if it happens twice"
        raise CamproError(url, f"SHA-256 {wanted[:12]}...", f"{got[:12]}...", remedy)
    part.replace(target)


def _receive(url: str, part: Path, progress: Callable[[int, int | None], object]) -> None:
    """Append what is missing to `part`; starts over where the server cannot send a range."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is missing; if the part is too long, its hash will say so
            return
        raise
    with answer:
        done = have if answer.status == 206 else 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else None
        with part.open("ab" if done else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(done, total)
    if total is not None and done < total:
        raise ConnectionError(f"the connection closed after {done:,} of {total:,} bytes")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return str(getattr(error, "reason", error)) or type(error).__name__

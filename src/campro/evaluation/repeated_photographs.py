"""Photographs that are in a set of faces more than once, also in another size or encoding.

Photographs are compared by their thumbnails, gray and `SIDE` pixels square: two photographs are the same if the
correlation of the thumbnails is at least `SAME`. Copies of another size or encoding have 0.996 and more; of 3000
photographs of LFW no two different ones have more than 0.92.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32

from campro.core.cache_file import read_values, write_values
from campro.core.errors import CamproError
from campro.core.images import read_image
from campro.core.progress import Progress
from campro.core.types import Rgb8
from campro.data.faces import FaceSet

SIDE = 16
SAME = 0.98
BLOCK = 1024
"""Photographs that are compared with all others at once; memory is BLOCK x number of photographs."""
SAVE_EVERY = 2000
"""Number of photographs after which the thumbnails are written to the cache."""
SHOWN = 3
"""Examples in a message."""


def repeated_photographs(faces: FaceSet, cache: Path) -> tuple[str, ...]:
    """Warnings on the same photograph under several names of people, and several times under one name.

    Thumbnails are stored below `cache`, keyed by the content of the photograph.

    Raises:
        CamproError: if a photograph is missing, or the cache file is damaged.
    """
    person = {photo: name for name, photos in faces.identities.items() for photo in photos}
    groups = same_photographs(faces, cache)
    across = [photos for photos in groups if len({person[photo] for photo in photos}) > 1]
    within = [photos for photos in groups if photos not in across]
    lines = []
    if across:
        text = "are under the names of several people, so that a correct match counts as a miss"
        lines.append(f"{_count(across)} {text}: {_examples(across)}.")
    if within:
        text = "are there more than once under one name, which makes that person too easy to recognise"
        lines.append(f"{_count(within)} {text}: {_examples(within)}.")
    return tuple(lines)


def same_photographs(faces: FaceSet, cache: Path) -> list[list[Path]]:
    """Groups of two files or more that hold the same photograph, in the order of `faces.photos`."""
    first: dict[str, Path] = {}
    for photo, content in faces.contents.items():
        first.setdefault(content, photo)
    names, rows = _thumbnails(first, cache)
    leader = {content: content for content in first}  # another content of the same photograph, or itself
    for one, other in _pairs(rows):
        leader[_leader(leader, names[other])] = _leader(leader, names[one])
    groups: dict[str, list[Path]] = {}
    for photo, content in faces.contents.items():
        groups.setdefault(_leader(leader, content), []).append(photo)
    return [photos for photos in groups.values() if len(photos) > 1]


def thumbnail(rgb: Rgb8) -> np.ndarray:
    """The gray picture in SIDE x SIDE pixels of type uint8."""
    gray = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def _thumbnails(photos: dict[str, Path], cache: Path) -> tuple[list[str], Float32[np.ndarray, "N D"]]:
    """Contents and thumbnails of photographs, by content; those that cannot be read are left out.

    Thumbnails have mean 0 and norm 1; those without any contrast are 0, and so equal to none.
    """
    file = cache / "thumbnails" / f"gray-{SIDE}.checked.json"
    known: dict[str, str] = read_values(file, "thumbnails", _is_thumbnail)
    todo = [content for content in photos if content not in known]
    with Progress("compare photographs", len(todo)) as progress:
        for number, content in enumerate(todo, 1):
            with suppress(CamproError):  # of unreadable photographs, which are reported where landmarks are searched
                known[content] = thumbnail(read_image(photos[content])).tobytes().hex()
            if number % SAVE_EVERY == 0 or number == len(todo):
                write_values(file, known)
            progress.advance()
    names = [content for content in photos if content in known]
    pixels = [np.frombuffer(bytes.fromhex(known[content]), np.uint8) for content in names]
    rows = np.stack(pixels).astype(np.float32) if pixels else np.zeros((0, SIDE * SIDE), np.float32)
    rows -= rows.mean(1, keepdims=True)
    return names, rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _pairs(rows: Float32[np.ndarray, "N D"]) -> list[tuple[int, int]]:
    """Pairs of rows, the smaller index first, whose product is at least SAME."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(rows), BLOCK):
        one, other = np.nonzero(rows[start : start + BLOCK] @ rows[start:].T >= SAME)
        found += [(start + i, start + j) for i, j in zip(one.tolist(), other.tolist()) if i < j]
    return found


def _leader(leader: dict[str, str], content: str) -> str:
    """The last content of the chain that begins with this one."""
    while leader[content] != content:
        content = leader[content]
    return content


def _is_thumbnail(value: Any) -> bool:
    """Whether a cached value is a thumbnail in hexadecimal."""
    if not isinstance(value, str) or len(value) != 2 * SIDE * SIDE:
        return False
    return not set(value) - set("0123456789abcdef")


def _count(groups: Sequence[list[Path]]) -> str:
    return f"{sum(map(len, groups))} files of {len(groups)} photograph{'s' if len(groups) > 1 else ''}"


def _examples(groups: Sequence[list[Path]]) -> str:
    shown = [" = ".join(f"{photo.parent.name}/{photo.name}" for photo in group[:SHOWN]) for group in groups[:SHOWN]]
    return ", ".join(shown) + (", ..." if len(groups) > SHOWN else "")

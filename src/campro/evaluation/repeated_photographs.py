"""Photographs that are in a set of faces more than once, found by their contents."""

from __future__ import annotations

from pathlib import Path

from campro.data.faces import FaceSet

SHOWN = 3
"""Examples in a message."""


def repeated_photographs(faces: FaceSet) -> tuple[str, ...]:
    """Warnings on equal files: under several names of people, and several times under one name.

    Only files of equal bytes are found, not the same picture saved anew.
    """
    person = {photo: name for name, photos in faces.identities.items() for photo in photos}
    by_content: dict[str, list[Path]] = {}
    for photo, content in faces.contents.items():
        by_content.setdefault(content, []).append(photo)
    equal = [photos for photos in by_content.values() if len(photos) > 1]
    across = [photos for photos in equal if len({person[photo] for photo in photos}) > 1]
    within = [photos for photos in equal if photos not in across]
    lines = []
    if across:
        text = "are under the names of several people, so that a correct match counts as a miss"
        lines.append(f"{_count(across)} {text}: {_examples(across)}.")
    if within:
        text = "are there more than once under one name, which makes that person too easy to recognise"
        lines.append(f"{_count(within)} {text}: {_examples(within)}.")
    return tuple(lines)


def _count(groups: list[list[Path]]) -> str:
    return f"{sum(map(len, groups))} files of {len(groups)} photograph{'s' if len(groups) > 1 else ''}"


def _examples(groups: list[list[Path]]) -> str:
    shown = [" = ".join(f"{photo.parent.name}/{photo.name}" for photo in group[:SHOWN]) for group in groups[:SHOWN]]
    return ", ".join(shown) + (", ..." if len(groups) > SHOWN else "")

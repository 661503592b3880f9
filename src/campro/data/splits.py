"""Seeded splits of photographs into gallery and probe, and of people into two sets; equal on every machine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from campro.core.errors import CamproError
from campro.data.faces import FaceSet


@dataclass(frozen=True)
class Split:
    """One gallery and one probe photograph per person; entry i of all three is of person i."""

    names: tuple[str, ...]
    gallery: tuple[Path, ...]
    probe: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.names)


def draw_split(faces: FaceSet, seed: int) -> Split:
    """Draw a gallery and a probe photograph for each person with two or more photographs.

    Each person has a random generator seeded by seed and name, so that leaving people out does not change the
    photographs of others.
    Source: CamPro (NDSS 2024), section VI-A, closed-set identification.

    Raises:
        CamproError: if no person has two photographs.
    """
    pairs = [
        (name, *random.Random(f"{seed}/{name}").sample(sorted(photos), 2))
        for name, photos in sorted(faces.identities.items())
        if len(photos) >= 2
    ]
    if not pairs:
        raise CamproError(
            f"split of {faces.name}",
            "people with two photographs",
            f"{len(faces.identities)} people with at most one each",
            "add a second photograph per person",
        )
    names, gallery, probe = zip(*pairs)
    return Split(names, gallery, probe)


def split_identities(faces: FaceSet, fraction: float, seed: int) -> tuple[FaceSet, FaceSet]:
    """(rest, held out): split the people; `fraction` of them are held out, at least one person in each set.

    Raises:
        CamproError: if `fraction` is not in (0, 1), or there are fewer than two people.
    """
    if not 0 < fraction < 1:
        raise CamproError("held-out people", "a fraction between 0 and 1", f"{fraction:g}")
    names = sorted(faces.identities)
    if len(names) < 2:
        raise CamproError(f"held-out people of {faces.name}", "at least two people", str(len(names)))
    count = min(max(1, round(fraction * len(names))), len(names) - 1)
    held = set(random.Random(seed).sample(names, count))
    return _part(faces, [n for n in names if n not in held]), _part(faces, [n for n in names if n in held])


def assert_disjoint(first: FaceSet, second: FaceSet) -> None:
    """Check that two sets share no name and no photograph by content: training and evaluation people must differ.

    Raises:
        CamproError: if they share one.
    """
    people = sorted(first.identities.keys() & second.identities.keys())
    if people:
        raise CamproError(
            f"{first.name} and {second.name}",
            "different people",
            f"{len(people)} in both, such as {people[0]!r}",
            "take other people, or rename the folders if only the names agree",
        )
    photo_of = {digest: photo for photo, digest in first.contents.items()}
    shared = [(photo_of[digest], photo) for photo, digest in second.contents.items() if digest in photo_of]
    if shared:
        raise CamproError(
            f"{first.name} and {second.name}",
            "different photographs",
            f"{len(shared)} in both, such as {shared[0][0]} = {shared[0][1]}",
            "remove the copies from one set",
        )


def _part(faces: FaceSet, names: list[str]) -> FaceSet:
    return FaceSet(faces.name, faces.root, {name: faces.identities[name] for name in names}, faces.problems)

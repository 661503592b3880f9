"""Who is compared with whom: seeded, and the same on every machine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from campro.core.errors import CamproError
from campro.data.faces import FaceSet


@dataclass(frozen=True)
class Split:
    """One gallery and one probe photograph per person; entry i of all three belongs to person i."""

    names: tuple[str, ...]
    gallery: tuple[Path, ...]
    probe: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.names)


def draw_split(faces: FaceSet, seed: int) -> Split:
    """For everyone with two or more photographs draw one for the gallery and another one as the probe.

    Each person has a random stream of their own, keyed by seed and name: leaving people out changes nobody
    else's draw, so a run on the first hundred is a true part of the full run.
    Source: CamPro (NDSS 2024), section VI-A, closed-set identification.
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
    """(rest, held out): set `fraction` of the people aside, at least one on each side; nobody is in both."""
    if not 0 < fraction < 1:
        raise CamproError("held-out people", "a fraction between 0 and 1", f"{fraction:g}")
    names = sorted(faces.identities)
    if len(names) < 2:
        raise CamproError(f"held-out people of {faces.name}", "at least two people", str(len(names)))
    aside = min(max(1, round(fraction * len(names))), len(names) - 1)
    held = set(random.Random(seed).sample(names, aside))
    return _part(faces, [n for n in names if n not in held]), _part(faces, [n for n in names if n in held])


def assert_disjoint(one: FaceSet, other: FaceSet) -> None:
    """Refuse two sets that share a person by name or a photograph by content: training people never test."""
    people = sorted(one.identities.keys() & other.identities.keys())
    if people:
        raise CamproError(
            f"{one.name} and {other.name}",
            "different people",
            f"{len(people)} in both, such as {people[0]!r}",
            "take other people, or rename the folders if only the names agree",
        )
    owner = {digest: photo for photo, digest in one.contents.items()}
    shared = [(owner[digest], photo) for photo, digest in other.contents.items() if digest in owner]
    if shared:
        raise CamproError(
            f"{one.name} and {other.name}",
            "different photographs",
            f"{len(shared)} in both, such as {shared[0][0]} = {shared[0][1]}",
            "remove the copies from one set",
        )


def _part(faces: FaceSet, names: list[str]) -> FaceSet:
    return FaceSet(faces.name, faces.root, {name: faces.identities[name] for name in names}, faces.problems)

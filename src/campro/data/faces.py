"""Photographs of faces in one folder per person, as in LFW and CelebA."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import read_image
from campro.core.media import READABLE_SUFFIXES


@dataclass(frozen=True)
class FaceSet:
    """People and their photographs, both sorted by name, so that equal folders give equal sets.

    People with one photograph are included. They cannot be both enrolled and searched for: an audit searches for them
    as people who are not enrolled, or, with --distractors, enrols every second of them.
    """

    name: str
    root: Path
    """The folder that contains the folders of the people."""
    identities: Mapping[str, tuple[Path, ...]]
    """Photographs of each person, by name."""
    problems: tuple[str, ...] = ()
    """One line for each file or folder that is not included."""

    @property
    def counts(self) -> dict[str, int]:
        """Number of photographs of each person."""
        return {name: len(photos) for name, photos in self.identities.items()}

    @property
    def photos(self) -> tuple[Path, ...]:
        """All photographs, person by person."""
        return tuple(photo for photos in self.identities.values() for photo in photos)

    @property
    def folder(self) -> Path:
        """The folder that the user named: `root`, or the one above it if people are under `images/` as in LFW."""
        return self.root.parent if self.root.name == "images" else self.root

    def metadata_file(self, file: str) -> Path | None:
        """Path of a file called `file` in `folder`; None if there is none."""
        return path if (path := self.folder / file).is_file() else None

    @cached_property
    def contents(self) -> dict[Path, str]:
        """SHA-256 of each file (reading takes about 0.2 s for 5,000 photographs of LFW)."""
        return {photo: file_sha256(photo) for photo in self.photos}

    @cached_property
    def digest(self) -> str:
        """Hash of names and file contents; the path of the folder does not matter."""
        contents = {
            name: [[photo.name, self.contents[photo]] for photo in photos] for name, photos in self.identities.items()
        }
        return json_digest(contents)

    def with_at_least(self, images: int) -> FaceSet:
        """Only people with at least `images` photographs; gallery and probe need two.

        Raises:
            CamproError: if there are none.
        """
        return self._keep([name for name, photos in self.identities.items() if len(photos) >= images], f"{images}+")

    def first(self, people: int) -> FaceSet:
        """The first `people` by name.

        Raises:
            CamproError: if `people` is below 1.
        """
        if people < 1:
            raise CamproError("faces", "at least one person", str(people))
        return self._keep(sorted(self.identities)[:people], f"first {people}")

    def only(self, photos: Collection[Path]) -> FaceSet:
        """Only the given photographs (those with a detected face, for example) and their people.

        Raises:
            CamproError: if none of them is in this set.
        """
        kept = {name: tuple(p for p in all_photos if p in photos) for name, all_photos in self.identities.items()}
        if not any(kept.values()):
            remedy = "use photographs with faces, or another --landmarks"
            raise CamproError(f"faces in {self.root}", "photographs with a detectable face", "none", remedy)
        return FaceSet(self.name, self.root, {name: some for name, some in kept.items() if some}, self.problems)

    def _keep(self, names: list[str], count: str) -> FaceSet:
        if not names:
            most = max(self.counts.values(), default=0)
            raise CamproError(
                f"faces in {self.root}",
                f"people with {count} photographs",
                f"{len(self.identities)} people with at most {most} each",
                "add photographs, one folder per person",
            )
        return FaceSet(self.name, self.root, {name: self.identities[name] for name in names}, self.problems)

    def __str__(self) -> str:
        several = sum(count > 1 for count in self.counts.values())
        return (
            f"{self.name}: {len(self.photos)} photographs of {len(self.identities)} people, {several} with two or more"
            + (f", {len(self.problems)} left out" if self.problems else "")
        )


def read_faces(folder: Path | str, check: bool = False) -> FaceSet:
    """Read a folder with one folder per person (`NAME/*.jpg`), or one that contains such a folder `images`, as LFW.

    Images are not decoded, which would take minutes for large sets. With `check` they are, and those that cannot be
    read are listed in `problems` and not included.

    Raises:
        CamproError: if the folder does not exist, or contains no person with an image.
    """
    root = _people_root(Path(folder))
    problems: list[str] = []
    identities: dict[str, tuple[Path, ...]] = {}
    for person in sorted(root.iterdir()):
        if person.name.startswith("."):
            continue
        if not person.is_dir():
            problems.append(f"{person}: left out, it is not a folder")
            continue
        photos = _photos_of(person, check, problems)
        if photos:
            identities[person.name] = photos
    if not identities:
        got = f"{len(problems)} other entries ({problems[0]})" if problems else "an empty folder"
        raise CamproError(f"faces in {root}", "a folder per person with pictures in it", got, "use NAME/PICTURE.jpg")
    faces = FaceSet("", root, identities, tuple(problems))
    return replace(faces, name=faces.folder.name)


def _people_root(folder: Path) -> Path:
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing there"
        raise CamproError(f"faces in {folder}", "a folder with one folder per person", got)
    inner = folder / "images"
    # A person may be called "images"; then the folder contains images, not folders.
    is_lfw = inner.is_dir() and any(entry.is_dir() for entry in inner.iterdir())
    return inner if is_lfw else folder


def _photos_of(person: Path, check: bool, problems: list[str]) -> tuple[Path, ...]:
    entries = sorted(entry for entry in person.iterdir() if not entry.name.startswith("."))
    photos, before = [], len(problems)
    for entry in entries:
        problem = _problem(entry, check)
        if problem:
            problems.append(f"{entry}: left out, {problem}")
        else:
            photos.append(entry)
    if not photos and len(problems) == before:
        problems.append(f"{person}: left out, an empty folder")
    return tuple(photos)


def _problem(entry: Path, check: bool) -> str:
    """Why the file is not a photograph; empty if it is one."""
    if entry.is_dir():
        return "a folder inside a person's folder"
    if entry.suffix.lower() not in READABLE_SUFFIXES:
        return f"not a picture ({entry.suffix or 'no suffix'})"
    if not entry.is_file():
        return "a broken link"
    if entry.stat().st_size == 0:
        return "an empty file"
    if check:
        try:
            read_image(entry)
        except CamproError as error:
            return str(error)
    return ""

"""Photographs of faces, one folder per person: how LFW, CelebA and most home-made sets come."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import IMAGE_SUFFIXES, read_image


@dataclass(frozen=True)
class FaceSet:
    """People and their photographs; both sorted by name, so that equal folders give equal sets.

    People with a single photograph are kept: they have no mate and serve as distractors.
    """

    name: str
    root: Path
    identities: Mapping[str, tuple[Path, ...]]
    problems: tuple[str, ...] = ()
    """One line for everything that was found and left out."""

    @property
    def counts(self) -> dict[str, int]:
        """Photographs per person."""
        return {name: len(photos) for name, photos in self.identities.items()}

    @property
    def photos(self) -> tuple[Path, ...]:
        """All photographs, person by person."""
        return tuple(photo for photos in self.identities.values() for photo in photos)

    @property
    def folder(self) -> Path:
        """The folder that was told: the one with the people, or, as of LFW, the one above `images`."""
        return self.root.parent if self.root.name == "images" else self.root

    def metadata_file(self, file: str) -> Path | None:
        """A file of that name with facts about these people, where the folder has one."""
        return path if (path := self.folder / file).is_file() else None

    @cached_property
    def contents(self) -> dict[Path, str]:
        """sha256 of every file. Reads all bytes but decodes nothing (about 0.2 s for 5,000 LFW photographs)."""
        return {photo: file_sha256(photo) for photo in self.photos}

    @cached_property
    def digest(self) -> str:
        """Hash of who owns which file contents; where the folder lies does not matter."""
        owned = {
            name: [[photo.name, self.contents[photo]] for photo in photos] for name, photos in self.identities.items()
        }
        return json_digest(owned)

    def with_at_least(self, images: int) -> FaceSet:
        """Only people with that many photographs: two are needed for a gallery and a probe."""
        return self._keep([name for name, photos in self.identities.items() if len(photos) >= images], f"{images}+")

    def first(self, people: int) -> FaceSet:
        """The first people by name, for a quicker run."""
        if people < 1:
            raise CamproError("faces", "at least one person", str(people))
        return self._keep(sorted(self.identities)[:people], f"first {people}")

    def only(self, photos: Collection[Path]) -> FaceSet:
        """Only those photographs, such as the ones in which a face was found, and the people on them."""
        kept = {name: tuple(p for p in own if p in photos) for name, own in self.identities.items()}
        if not any(kept.values()):
            remedy = "use photographs with faces, or another --landmarks"
            raise CamproError(f"faces in {self.root}", "photographs with a detectable face", "none", remedy)
        return FaceSet(self.name, self.root, {name: own for name, own in kept.items() if own}, self.problems)

    def _keep(self, names: list[str], wanted: str) -> FaceSet:
        if not names:
            most = max(self.counts.values(), default=0)
            raise CamproError(
                f"faces in {self.root}",
                f"people with {wanted} photographs",
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
    """A folder per person (`NAME/*.jpg`); LFW's own folder, which holds them under `images/`, is understood too.

    Nothing is decoded here, because a big set would take minutes: an unreadable picture surfaces where it is
    first opened. With `check` every picture is decoded now, and unreadable ones become a line in `problems`.
    """
    root = _people_root(Path(folder))
    problems: list[str] = []
    identities: dict[str, tuple[Path, ...]] = {}
    for person in sorted(root.iterdir()):
        if person.name.startswith("."):
            continue
        if not person.is_dir():
            problems.append(f"{person}: left out, it lies beside the folders of people")
            continue
        photos = _photos_of(person, check, problems)
        if photos:
            identities[person.name] = photos
    if not identities:
        got = f"{len(problems)} things that are not ({problems[0]})" if problems else "an empty folder"
        raise CamproError(f"faces in {root}", "a folder per person with pictures in it", got, "use NAME/PICTURE.jpg")
    found = FaceSet("", root, identities, tuple(problems))
    return replace(found, name=found.folder.name)


def _people_root(folder: Path) -> Path:
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing there"
        raise CamproError(f"faces in {folder}", "a folder with one folder per person", got)
    inner = folder / "images"
    # A person may be called "images"; LFW's folder of people holds folders, a person's folder holds pictures.
    is_lfw = inner.is_dir() and any(entry.is_dir() for entry in inner.iterdir())
    return inner if is_lfw else folder


def _photos_of(person: Path, check: bool, problems: list[str]) -> tuple[Path, ...]:
    entries = sorted(entry for entry in person.iterdir() if not entry.name.startswith("."))
    photos, before = [], len(problems)
    for entry in entries:
        trouble = _trouble(entry, check)
        if trouble:
            problems.append(f"{entry}: left out, {trouble}")
        else:
            photos.append(entry)
    if not photos and len(problems) == before:
        problems.append(f"{person}: left out, an empty folder")
    return tuple(photos)


def _trouble(entry: Path, check: bool) -> str:
    """Why this is no photograph; the empty string if it looks like one."""
    if entry.is_dir():
        return "a folder inside a person's folder"
    if entry.suffix.lower() not in IMAGE_SUFFIXES:
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

"""Photographs with captions, read from COCO captions files."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest


@dataclass(frozen=True)
class CaptionedPhoto:
    """One photograph and what people wrote about it."""

    path: Path
    captions: tuple[str, ...]


@dataclass(frozen=True)
class CaptionSet:
    """Photographs with captions, sorted by file name."""

    name: str
    photos: tuple[CaptionedPhoto, ...]

    def __len__(self) -> int:
        return len(self.photos)

    @cached_property
    def digest(self) -> str:
        """Hash of file contents and captions."""
        return json_digest([[file_sha256(photo.path), list(photo.captions)] for photo in self.photos])


def read_captions(file: Path | str, images_dir: Path | str | None = None) -> CaptionSet:
    """Read a COCO captions file; photographs that are missing or have no caption are left out.

    Args:
        file: JSON with `images` and `annotations`.
        images_dir: folder of the images; by default where COCO has them (`annotations/captions_X.json` -> `X/`).

    Raises:
        CamproError: if the file is missing or no COCO captions file, or none of its images is there.
    """
    file = Path(file)
    folder = Path(images_dir) if images_dir is not None else file.parent.parent / file.stem.split("_")[-1]
    texts: dict[Any, list[str]] = defaultdict(list)
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        for annotation in data["annotations"]:
            texts[annotation["image_id"]].append(str(annotation["caption"]).strip())
        names = {str(image["file_name"]): texts[image["id"]] for image in data["images"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise CamproError(str(file), "a COCO captions file", reason or type(error).__name__) from error
    photos = [
        CaptionedPhoto(folder / name, tuple(filter(None, captions)))
        for name, captions in sorted(names.items())
        if any(captions) and ".." not in Path(name).parts and (folder / name).is_file()
    ]
    if not photos:
        raise CamproError(f"captions in {file}", f"captioned photographs in {folder}", "none")
    return CaptionSet(folder.name, tuple(photos))

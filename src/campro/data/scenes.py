"""Photographs with person boxes, from COCO instances files."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.types import Detections, Scene

ORIENTATION = 0x0112
"""The EXIF tag for how the camera was held; 5 to 8 mean on its side."""


@dataclass(frozen=True)
class SceneSet:
    """Scenes in the order of the file; pictures without people stay in, because false alarms count."""

    name: str
    scenes: tuple[Scene, ...]
    problems: tuple[str, ...] = ()
    """One line for everything that was found and left out."""

    def __len__(self) -> int:
        return len(self.scenes)

    @property
    def person_count(self) -> int:
        """Persons to be found: boxes that are no crowd regions."""
        return sum(int((~scene.truth.crowd).sum()) for scene in self.scenes)

    @cached_property
    def contents(self) -> dict[Path, str]:
        """sha256 of every picture."""
        return {scene.path: file_sha256(scene.path) for scene in self.scenes}

    @cached_property
    def digest(self) -> str:
        """Hash of the pictures' contents and of the truth; where the folder lies does not matter."""
        return json_digest([[self.contents[scene.path], *_truth(scene)] for scene in self.scenes])

    def first(self, count: int) -> SceneSet:
        """The first scenes, for a quicker run."""
        if count < 1:
            raise CamproError("scenes", "at least one scene", str(count))
        return SceneSet(self.name, self.scenes[:count], self.problems)

    def without(self, other: SceneSet) -> SceneSet:
        """Leave out pictures that `other` has too, whatever they are called there; none may be both lesson and exam."""
        known = set(other.contents.values())
        kept = tuple(scene for scene in self.scenes if self.contents[scene.path] not in known)
        shared = [scene.path for scene in self.scenes if self.contents[scene.path] in known]
        if not kept:
            raise CamproError(f"scenes in {self.name}", f"pictures that {other.name} does not have", "none")
        return SceneSet(
            self.name, kept, (*self.problems, *(f"left out: {path}: also in {other.name}" for path in shared))
        )

    def __str__(self) -> str:
        left_out = f", {len(self.problems)} left out" if self.problems else ""
        return f"{self.name}: {len(self)} photographs with {self.person_count} people{left_out}"


def join_scenes(parts: Sequence[SceneSet]) -> SceneSet:
    """Several sets as one, in their order."""
    scenes = tuple(scene for part in parts for scene in part.scenes)
    return SceneSet("+".join(part.name for part in parts), scenes, tuple(line for p in parts for line in p.problems))


def read_scenes(
    coco_json: Path | str,
    images_dir: Path | str | None = None,
    *,
    require_boxes: bool = False,
    unlabelled: bool = False,
) -> SceneSet:
    """Read a COCO instances file; only the category called "person" is kept.

    `images_dir` defaults to where COCO keeps them (`annotations/instances_X.json` -> `X/`) or to `images/` beside
    the file. `require_boxes` leaves out pictures without people. Pictures marked `"labelled": false` have unknown
    people in them; they are left out unless `unlabelled` asks for them.
    A picture whose truth is broken is left out whole: with a box missing, finding that person would count as wrong.
    """
    file = Path(coco_json)
    data = _parse(file)
    images = _rows(data, "images", file)
    annotations = _persons(data, file)
    folder = _images_folder(file, images, Path(images_dir) if images_dir is not None else None)
    by_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in annotations:
        by_image[row.get("image_id")].append(row)
    scenes: list[Scene] = []
    problems = _stray(by_image, images, file)
    for row in images:
        if row.get("labelled") is False and not unlabelled:
            continue
        try:
            scene = _scene(row, by_image[row.get("id")], folder)
        except CamproError as error:
            problems.append(f"left out: {error}")
            continue
        if len(scene.truth) or not require_boxes:
            scenes.append(scene)
    if not scenes:
        got = f"{len(problems)} problems, first: {problems[0]}" if problems else "only pictures without labels or boxes"
        remedy = "label the pictures or mend the file"
        raise CamproError(f"scenes in {file}", f"at least one usable picture in {folder}", got, remedy)
    name = folder.parent.name if folder.name == "images" else folder.name
    return SceneSet(name, tuple(scenes), tuple(problems))


def _parse(file: Path) -> dict[str, Any]:
    who = f"scenes in {file}"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CamproError(who, "a readable file", error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # both broken JSON and broken UTF-8
        raise CamproError(who, "JSON", " ".join(str(error).split()), "export the file again") from error
    if not isinstance(data, dict):
        raise CamproError(who, "a COCO object with images, annotations, categories", type(data).__name__)
    return data


def _rows(data: Mapping[str, Any], key: str, file: Path) -> list[dict[str, Any]]:
    rows = data.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        got = "none" if rows is None else type(rows).__name__
        raise CamproError(f"scenes in {file}", f'a list "{key}" of objects', got, "use a COCO instances file")
    return rows


def _persons(data: Mapping[str, Any], file: Path) -> list[dict[str, Any]]:
    categories = _rows(data, "categories", file)
    wanted = [row.get("id") for row in categories if row.get("name") == "person"]
    if not wanted:
        names = ", ".join(str(row.get("name")) for row in categories[:5]) or "none"
        raise CamproError(f"scenes in {file}", 'a category called "person"', names, "rename the category in the file")
    return [row for row in _rows(data, "annotations", file) if row.get("category_id") in wanted]


def _images_folder(file: Path, images: Iterable[dict[str, Any]], given: Path | None) -> Path:
    if given is not None:
        if not given.is_dir():
            raise CamproError("scenes", "a folder of images", f"{given}, which is none")
        return given
    part = file.stem.split("_")[-1]
    home = file.parent
    guesses = [home.parent / part, home.parent / "images" / part, home / "images", home / part, home]
    names = [row["file_name"] for row in images if isinstance(row.get("file_name"), str)]
    for guess in guesses:
        if guess.is_dir() and any((guess / name).is_file() for name in names):
            return guess
    tried = ", ".join(str(guess) for guess in guesses)
    raise CamproError(f"scenes in {file}", "its pictures", f"none of them in {tried}", "name the image folder")


def _stray(by_image: Mapping[Any, list[Any]], images: Iterable[dict[str, Any]], file: Path) -> list[str]:
    ids = [row.get("id") for row in images]
    if len(set(ids)) != len(ids):
        raise CamproError(f"scenes in {file}", "one id per picture", "the same id twice", "number the pictures anew")
    count = sum(len(rows) for owner, rows in by_image.items() if owner not in set(ids))
    return [f"left out: {count} boxes in {file.name} that belong to no picture"] if count else []


def _scene(row: Mapping[str, Any], annotations: list[dict[str, Any]], folder: Path) -> Scene:
    name, width, height = row.get("file_name"), row.get("width"), row.get("height")
    if not isinstance(name, str):
        raise CamproError(f"picture {row.get('id')}", "a file_name", repr(name))
    path = folder / name
    if not path.is_file():
        raise CamproError(name, f"a picture in {folder}", "no such file")
    size = _size(path)
    if (width, height) != size:
        raise CamproError(name, f"a picture of {width} x {height} as the file says", f"{size[0]} x {size[1]}")
    boxes = [_box(annotation, size, name) for annotation in annotations]
    areas = tuple(_area(annotation, box) for annotation, box in zip(annotations, boxes, strict=True))
    crowd = [bool(annotation.get("iscrowd", 0)) for annotation in annotations]
    return Scene(path, size[0], size[1], Detections.truth(boxes, crowd), areas)


def _size(path: Path) -> tuple[int, int]:
    """(width, height) as `read_image` will show it, turned upright; reads the header only."""
    try:
        with Image.open(path) as image:
            sideways = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
            return (image.height, image.width) if sideways else image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise CamproError(path.name, "a picture", " ".join(str(error).split()), "replace the file") from error


def _box(annotation: Mapping[str, Any], size: tuple[int, int], name: str) -> tuple[float, float, float, float]:
    """COCO's (x, y, width, height) -> corners, cut at the border of the picture."""
    who, value = f"{name}, box {annotation.get('id')}", annotation.get("bbox")
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(v) for v in value):
        raise CamproError(who, "four finite numbers x, y, width, height", repr(value))
    x, y, width, height = (float(v) for v in value)
    if width <= 0 or height <= 0:
        raise CamproError(who, "a positive width and height", f"{width:g} x {height:g}")
    x0, y0, x1, y1 = max(x, 0.0), max(y, 0.0), min(x + width, size[0]), min(y + height, size[1])
    if x1 <= x0 or y1 <= y0:
        raise CamproError(who, f"a box inside {size[0]} x {size[1]}", f"{value}, which lies outside")
    return x0, y0, x1, y1


def _area(annotation: Mapping[str, Any], box: tuple[float, float, float, float]) -> float:
    area: Any = annotation.get("area")
    return float(area) if _is_number(area) and area > 0 else (box[2] - box[0]) * (box[3] - box[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _truth(scene: Scene) -> list[Any]:
    boxes = [scene.truth.boxes.tolist(), scene.truth.crowd.tolist(), list(scene.areas)]
    return [scene.path.name, scene.width, scene.height, boxes]

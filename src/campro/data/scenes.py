"""Photographs with person boxes, read from COCO instances files."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.types import Detections, Scene

ORIENTATION = 0x0112
"""EXIF tag of the orientation; values 5 to 8 exchange height and width."""


MAX_NUMBER = 1e9
"""Largest coordinate or area, in pixels, that counts as a number."""
MAX_ID = 10**1000
"""Ids from here on are compared by hexadecimal digits."""


@dataclass(frozen=True)
class SceneSet:
    """Scenes in the order of the file; images without people are included, because false detections count."""

    name: str
    scenes: tuple[Scene, ...]
    problems: tuple[str, ...] = ()
    """One line for each image or box that is not included."""

    def __len__(self) -> int:
        return len(self.scenes)

    @property
    def person_count(self) -> int:
        """Number of person boxes, without crowd regions."""
        return sum(int((~scene.truth.crowd).sum()) for scene in self.scenes)

    @cached_property
    def contents(self) -> dict[Path, str]:
        """SHA-256 of each image file."""
        return {scene.path: file_sha256(scene.path) for scene in self.scenes}

    @cached_property
    def digest(self) -> str:
        """Hash of file contents and ground truth; the path of the folder does not matter."""
        return json_digest([[self.contents[scene.path], *_truth(scene)] for scene in self.scenes])

    def first(self, count: int) -> SceneSet:
        """The first `count` scenes.

        Raises:
            CamproError: if `count` is below 1.
        """
        if count < 1:
            raise CamproError("scenes", "at least one scene", str(count))
        return SceneSet(self.name, self.scenes[:count], self.problems)

    def without(self, other: SceneSet) -> SceneSet:
        """Only images that `other` does not contain, by content: no image may be used for training and evaluation.

        Raises:
            CamproError: if no image remains.
        """
        known = set(other.contents.values())
        kept = tuple(scene for scene in self.scenes if self.contents[scene.path] not in known)
        shared = [scene.path for scene in self.scenes if self.contents[scene.path] in known]
        if not kept:
            raise CamproError(f"scenes in {self.name}", f"images that {other.name} does not contain", "none")
        return SceneSet(
            self.name, kept, (*self.problems, *(f"left out: {path}: also in {other.name}" for path in shared))
        )

    def __str__(self) -> str:
        left_out = f", {len(self.problems)} left out" if self.problems else ""
        return f"{self.name}: {len(self)} photographs with {self.person_count} people{left_out}"


def join_scenes(parts: Sequence[SceneSet]) -> SceneSet:
    """Concatenate sets."""
    scenes = tuple(scene for part in parts for scene in part.scenes)
    return SceneSet("+".join(part.name for part in parts), scenes, tuple(line for p in parts for line in p.problems))


def read_scenes(
    coco_json: Path | str,
    images_dir: Path | str | None = None,
    *,
    require_boxes: bool = False,
    unlabelled: bool = False,
) -> SceneSet:
    """Read a COCO instances file; of its categories only "person" is used.

    An image with a wrong annotation is not included at all: the detection of a person whose box is missing would count
    as false. Each such image is a line in `problems`. Ids may be numbers or text ("7" is 7). A `file_name` may have
    folders, also with backslashes, that the image folder lacks; `width` and `height` may be missing. Of equal entries
    one is read.

    Args:
        coco_json: the file.
        images_dir: folder of the images; by default where COCO has them (`annotations/instances_X.json` -> `X/`), or
            `images/` next to the file.
        require_boxes: leave out images without people.
        unlabelled: include images marked `"labelled": false`, which may contain people without boxes.

    Raises:
        CamproError: if the file is missing or not a COCO instances file, the images are not found, ids are not unique,
            or no usable image remains.
    """
    file = Path(coco_json)
    data = _parse(file)
    images, problems = _distinct(_objects(data, "images", file), "images")
    annotations, unknown = _persons(data, file)
    folder = _images_folder(file, images, Path(images_dir) if images_dir is not None else None)
    by_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for annotation in annotations:
        by_image[_id(annotation, "image_id")].append(annotation)
    scenes: list[Scene] = []
    problems += unknown + _orphans(by_image, images, file)
    shared = _shared_files(images, folder)
    for image in images:
        if image.get("labelled") is False and not unlabelled:
            continue
        try:
            scene = _scene(image, by_image[_id(image, "id")], folder, shared)
        except CamproError as error:
            problems.append(f"left out: {error}")
            continue
        if len(scene.truth) or not require_boxes:
            scenes.append(scene)
    if not scenes:
        got = f"{len(problems)} problems, first: {problems[0]}" if problems else "only images without labels or boxes"
        remedy = "label the images or correct the file"
        raise CamproError(f"scenes in {file}", f"at least one usable image in {folder}", got, remedy)
    name = folder.parent.name if folder.name == "images" else folder.name
    return SceneSet(name, tuple(scenes), tuple(problems))


def _parse(file: Path) -> dict[str, Any]:
    where = f"scenes in {file}"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CamproError(where, "a readable file", error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # invalid JSON or invalid UTF-8
        raise CamproError(where, "JSON", " ".join(str(error).split()), "export the file again") from error
    if not isinstance(data, dict):
        raise CamproError(where, "a COCO object with images, annotations, categories", type(data).__name__)
    return data


def _id(entry: Mapping[str, Any], key: str) -> str | None:
    """The value of an id as text, the same for 7, 7.0 and "7"; None for anything but numbers and text."""
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = repr(value) if isinstance(value, float) else value if isinstance(value, str) else _digits(value)
    text = text.strip().removesuffix(".0")
    return text.lstrip("0") or "0" if text.isdecimal() else text


def _digits(value: int) -> str:
    """An integer as text; Python refuses decimal digits beyond some thousands."""
    return str(value) if abs(value) < MAX_ID else hex(value)


def _distinct(entries: list[dict[str, Any]], what: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The entries without those that repeat an earlier one in full, and a line that counts these."""
    seen: set[str] = set()
    kept = []
    for entry in entries:
        try:
            text = json.dumps(entry, sort_keys=True)
        except (ValueError, RecursionError):  # numbers of too many digits, or lists nested too deeply
            text = str(id(entry))
        if text not in seen:
            kept.append(entry)
        seen.add(text)
    count = len(entries) - len(kept)
    return kept, [f"left out: {count} {what} that are listed twice"] if count else []


def _objects(data: Mapping[str, Any], key: str, file: Path) -> list[dict[str, Any]]:
    entries = data.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        got = "none" if entries is None else type(entries).__name__
        raise CamproError(f"scenes in {file}", f'a list "{key}" of objects', got, "use a COCO instances file")
    return entries


def _persons(data: Mapping[str, Any], file: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The annotations of persons, and lines about those that repeat others or have no category of the file."""
    categories = _objects(data, "categories", file)
    ids = {_id(category, "id") for category in categories if _is_person(category.get("name"))} - {None}
    if not ids:
        names = ", ".join(str(category.get("name")) for category in categories[:5]) or "none"
        raise CamproError(f"scenes in {file}", 'a category called "person"', names, "rename the category in the file")
    known = {_id(category, "id") for category in categories}
    annotations = _objects(data, "annotations", file)
    unknown = sum(_id(entry, "category_id") not in known for entry in annotations)
    if unknown and unknown == len(annotations):
        got = f"{unknown} boxes, none of them with an id of its categories"
        raise CamproError(f"scenes in {file}", "boxes of its categories", got, "correct the category ids")
    lines = [f"left out: {unknown} boxes in {file.name} whose category is not in its list"] if unknown else []
    persons, repeated = _distinct([entry for entry in annotations if _id(entry, "category_id") in ids], "boxes")
    return persons, lines + repeated


def _is_person(name: Any) -> bool:
    return isinstance(name, str) and name.strip().lower() == "person"


def _images_folder(file: Path, images: Iterable[dict[str, Any]], given: Path | None) -> Path:
    if given is not None:
        if not given.is_dir():
            raise CamproError("scenes", "a folder of images", f"{given}, which is not a folder")
        return given
    part = file.stem.split("_")[-1]
    parent = file.parent
    candidates = [parent.parent / part, parent.parent / "images" / part, parent / "images", parent / part, parent]
    names = [image["file_name"] for image in images if isinstance(image.get("file_name"), str)]
    for candidate in candidates:
        if candidate.is_dir() and any(_found(candidate, name) for name in names):
            return candidate
    tried = ", ".join(str(candidate) for candidate in candidates)
    raise CamproError(
        f"scenes in {file}", "its images", f"none of them in {tried}", "name the image folder with --images"
    )


def _found(folder: Path, name: str) -> Path | None:
    """The image in `folder` that a `file_name` means, or None.

    Labelling tools write folders of another machine in front of it, also with backslashes: the longest end of the path
    that exists in `folder` counts. Parts ".." are never followed.
    """
    if ".." not in Path(name).parts and not Path(name).is_absolute() and _is_file(folder / name):
        return folder / name
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    for start in range(len(parts)):
        end = parts[start:]
        if ".." not in end and _is_file(folder.joinpath(*end)):
            return folder.joinpath(*end)
    return None


def _shared_files(images: Iterable[dict[str, Any]], folder: Path) -> set[Path]:
    """Image files that more than one entry means: the boxes of each entry would be missing in the other."""
    names = [image["file_name"] for image in images if isinstance(image.get("file_name"), str)]
    counts = Counter(path for name in names if (path := _found(folder, name)))
    return {path for path, count in counts.items() if count > 1}


def _is_file(path: Path) -> bool:
    """Whether `path` is a file; False for names that the file system refuses (zero bytes, too long)."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _orphans(by_image: Mapping[Any, list[Any]], images: Iterable[dict[str, Any]], file: Path) -> list[str]:
    ids = [_id(image, "id") for image in images]
    if len(set(ids)) != len(ids):
        raise CamproError(f"scenes in {file}", "a different id for each image", "equal ids", "number the images again")
    count = sum(len(boxes) for image_id, boxes in by_image.items() if image_id not in set(ids))
    return [f"left out: {count} boxes in {file.name} that belong to no image"] if count else []


def _scene(
    image: Mapping[str, Any], annotations: list[dict[str, Any]], folder: Path, shared: Collection[Path]
) -> Scene:
    name = image.get("file_name")
    if not isinstance(name, str):
        raise CamproError(f"image {image.get('id')}", "a file_name", repr(name))
    path = _found(folder, name)
    if path is None:
        raise CamproError(repr(name), f"an image in {folder}", "no such file")
    if path in shared:
        raise CamproError(name, "one entry for each image file", "several with different ids", "merge them")
    size = _size(path)
    stated = tuple(_stated(image.get(side), real) for side, real in zip(("width", "height"), size, strict=True))
    if stated != size:
        raise CamproError(name, f"an image of {stated[0]} x {stated[1]} as the file states", f"{size[0]} x {size[1]}")
    boxes = [_box(annotation, size, name) for annotation in annotations]
    areas = tuple(_area(annotation, box) for annotation, box in zip(annotations, boxes, strict=True))
    crowd = [bool(annotation.get("iscrowd", 0)) for annotation in annotations]
    whole = tuple(_is_whole(annotation) for annotation in annotations)
    keypoints = tuple(_keypoints(annotation) for annotation in annotations)
    return Scene(
        path,
        size[0],
        size[1],
        Detections.truth(boxes, crowd),
        areas,
        whole if whole.count(None) < len(whole) else (),
        labelled=image.get("labelled") is not False,
        keypoints=keypoints if any(keypoints) else (),
    )


def _is_whole(annotation: Mapping[str, Any]) -> bool | None:
    """Whether COCO's 17 key points of a person include the head and both ankles; None where none are labelled."""
    labelled = [value > 0 for value in _keypoints(annotation)[2::3]]
    return (any(labelled[:5]) and all(labelled[15:])) if labelled else None


def _keypoints(annotation: Mapping[str, Any]) -> tuple[float, ...]:
    """COCO's 17 key points as x, y, visibility; empty where none is labelled."""
    points = annotation.get("keypoints")
    if not isinstance(points, list) or len(points) != 51 or not all(_is_number(value) for value in points):
        return ()
    return tuple(float(value) for value in points) if any(value > 0 for value in points[2::3]) else ()


def _stated(value: Any, real: int) -> Any:
    """A width or height of the file, also as text; `real` where the file states none (missing, or 0)."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        value = int(value)
    return real if value is None or value == 0 else value


def _size(path: Path) -> tuple[int, int]:
    """(width, height) of the upright image, as `read_image` returns it; only the header is read."""
    try:
        with Image.open(path) as image:
            rotated = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
            return (image.height, image.width) if rotated else image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise CamproError(path.name, "an image", " ".join(str(error).split()), "replace the file") from error


def _box(annotation: Mapping[str, Any], size: tuple[int, int], name: str) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) of COCO's (x, y, width, height), clipped to the image of size (width, height)."""
    where, value = f"{name}, box {annotation.get('id')}", annotation.get("bbox")
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(v) for v in value):
        raise CamproError(where, "four finite numbers x, y, width, height", repr(value))
    x, y, width, height = (float(v) for v in value)
    if width <= 0 or height <= 0:
        raise CamproError(where, "a positive width and height", f"{width:g} x {height:g}")
    x0, y0, x1, y1 = max(x, 0.0), max(y, 0.0), min(x + width, size[0]), min(y + height, size[1])
    if x1 <= x0 or y1 <= y0:
        raise CamproError(where, f"a box inside {size[0]} x {size[1]}", f"{value}, which is outside")
    return x0, y0, x1, y1


def _area(annotation: Mapping[str, Any], box: tuple[float, float, float, float]) -> float:
    area: Any = annotation.get("area")
    return float(area) if _is_number(area) and area > 0 else (box[2] - box[0]) * (box[3] - box[1])


def _is_number(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return abs(value) <= MAX_NUMBER  # False for NaN


def _truth(scene: Scene) -> list[Any]:
    boxes = [scene.truth.boxes.tolist(), scene.truth.crowd.tolist(), list(scene.areas)]
    return [scene.path.name, scene.width, scene.height, boxes]

"""Small pictures that the report shows, saved in the run folder while data and models are at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float
from torch import Tensor

from campro.audit.audit_config import CAPTURED, ENHANCED, RAW
from campro.core.images import read_image, write_image
from campro.core.types import ImageTransform, Rgb8, Scene
from campro.evaluation import EvaluationSet
from campro.metrics.gallery_search import search
from campro.metrics.identification import unit_norm

SHOWN_PEOPLE = 8
FACE_SIDE = 96
"""Side of a saved face crop in pixels."""
SCENE_SIDE = 320
"""Longer side of a saved scene in pixels."""
FACE_CELLS, SCENE_CELLS = 8, 16
"""Squares along the longer side of a pixelated face crop and of a pixelated scene."""
PROTECTED_FACES, PROTECTED_SCENES = (CAPTURED,), (CAPTURED, ENHANCED)
"""Views whose face crops and scenes are shown as they are. The others show people, or can be turned back (`invert`);
a face crop of the enhanced view shows a face that the enhancer missed."""


def colour_chart(patch: int = 24) -> Rgb8:
    """A test chart (patch * 6 high, patch * 12 wide): hues at four levels, skin tones, greys."""
    hue = np.arange(12, dtype=np.uint8) * 15
    rows = [np.stack([hue, np.full(12, s, np.uint8), np.full(12, v, np.uint8)], 1) for s, v in CHART_LEVELS]
    hues = cv2.cvtColor(np.stack(rows), cv2.COLOR_HSV2RGB)
    skin = np.linspace((255, 219, 190), (60, 36, 26), 12).round().astype(np.uint8)
    grey = np.repeat(np.linspace(0, 255, 12).round().astype(np.uint8)[:, None], 3, axis=1)
    chart = np.concatenate([hues, skin[None], grey[None]])
    return chart.repeat(patch, axis=0).repeat(patch, axis=1)


CHART_LEVELS = ((255, 255), (150, 230), (255, 130), (110, 120))
"""Saturation and value of the chart's rows of hues, of 255."""


@dataclass(frozen=True)
class FaceThumbnail:
    """One probe under one view."""

    file: str
    similarity: float
    """Cosine to the person's own gallery photograph."""
    rank: int
    """Of the mate among all people of the trial."""


@dataclass(frozen=True)
class PersonThumbnails:
    """One person: gallery photograph, and the probe under every view."""

    gallery: str
    views: dict[str, FaceThumbnail]


@dataclass(frozen=True)
class FaceThumbnails:
    """The first people of the first trial."""

    model: str
    people: tuple[PersonThumbnails, ...]
    recognisable: bool = True
    """Whether the files show the faces of all views; else those outside PROTECTED_FACES are pixelated."""


@dataclass(frozen=True)
class SceneThumbnail:
    """One scene under every view; boxes in pixels of the full photograph."""

    width: int
    height: int
    truth: tuple[tuple[float, ...], ...]
    views: dict[str, str]
    recognisable: bool = True
    """Whether the files show the people of all views; else those outside PROTECTED_SCENES are pixelated."""


def save_chart(folder: Path, raw: ImageTransform, captured: ImageTransform) -> dict[str, str]:
    """The chart before and after the profile: files by view."""
    chart = colour_chart()
    return {name: _save(folder, f"chart-{name}", view(chart)) for name, view in ((RAW, raw), (CAPTURED, captured))}


def save_faces(
    folder: Path,
    model: str,
    evaluation: EvaluationSet,
    embeddings: Mapping[str, Float[Tensor, "N D"]],
    views: Mapping[str, ImageTransform],
    crop: Callable[[Rgb8, int], Rgb8],
    show_faces: bool = False,
) -> FaceThumbnails:
    """The first people of the first trial, not selected: gallery photograph, and the probe under every view.

    Unless `show_faces`, crops of views outside PROTECTED_FACES are pixelated before they are saved.
    """
    trial = evaluation.trials[0]
    gallery = unit_norm(embeddings[RAW], "gallery")[trial.gallery]
    probes = {name: unit_norm(embeddings[name], name)[trial.probe] for name in views}
    found = {name: search(probe, gallery, evaluation.subjects[trial.probe]) for name, probe in probes.items()}
    people = []
    for person in range(min(SHOWN_PEOPLE, len(trial.probe))):
        enrolled, probe = int(trial.gallery[person]), int(trial.probe[person])
        photo, thumbnails = read_image(evaluation.photos[probe]), {}
        for i, (name, view) in enumerate(views.items()):  # a view's name may be a path
            shown = _fit(crop(view(photo), probe), FACE_SIDE)
            shown = shown if show_faces or name in PROTECTED_FACES else pixelated(shown, FACE_CELLS)
            file = _save(folder, f"face-{person}-{i}", shown)
            similarity, rank = float(found[name].own[person]), int(found[name].ranks[person])
            thumbnails[name] = FaceThumbnail(file, similarity, rank)
        first = _fit(crop(views[RAW](read_image(evaluation.photos[enrolled])), enrolled), FACE_SIDE)
        first = first if show_faces else pixelated(first, FACE_CELLS)
        people.append(PersonThumbnails(_save(folder, f"face-{person}-gallery", first), thumbnails))
    return FaceThumbnails(model, tuple(people), show_faces)


def save_scenes(
    folder: Path, scenes: Sequence[Scene], views: Mapping[str, ImageTransform], show_faces: bool = False
) -> tuple[SceneThumbnail, ...]:
    """The first scenes, not selected, under every view; pixelated outside PROTECTED_SCENES unless `show_faces`."""
    shown = []
    for i, scene in enumerate(scenes):
        photo = read_image(scene.path)
        pictures = {name: _fit(view(photo), SCENE_SIDE) for name, view in views.items()}
        if not show_faces:
            hidden = pictures.keys() - set(PROTECTED_SCENES)
            pictures |= {name: pixelated(pictures[name], SCENE_CELLS) for name in hidden}
        files = {name: _save(folder, f"scene-{i}-{n}", rgb) for n, (name, rgb) in enumerate(pictures.items())}
        truth = tuple(tuple(box) for box in scene.truth.boxes[~scene.truth.crowd].tolist())
        shown.append(SceneThumbnail(scene.width, scene.height, truth, files, show_faces))
    return tuple(shown)


def pixelated(rgb: Rgb8, cells: int) -> Rgb8:
    """A picture of the same size with at most `cells` squares of one colour along its longer side.

    >>> picture = np.arange(96 * 96 * 3, dtype=np.uint8).reshape(96, 96, 3)
    >>> len(np.unique(pixelated(picture, 8).reshape(-1, 3), axis=0)) <= 64
    True
    """
    height, width = rgb.shape[:2]
    small = _fit(rgb, cells)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _fit(rgb: Rgb8, side: int) -> Rgb8:
    """Shrink so that the longer side is at most `side` pixels."""
    scale = side / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _save(folder: Path, name: str, rgb: Rgb8) -> str:
    """Write `thumbnails/NAME.png`; returns that path, relative to the run folder."""
    file = f"thumbnails/{name}.png"
    write_image(folder / file, rgb)
    return file

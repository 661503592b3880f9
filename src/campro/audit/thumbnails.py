"""Small pictures that the report shows, saved in the run folder while data and models are at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float
from torch import Tensor

from campro.audit.audit_config import CAPTURED, RAW
from campro.core.images import read_image, write_image
from campro.core.run_folder import Json
from campro.core.types import ImageTransform, Rgb8, Scene
from campro.evaluation import Draw, Roll
from campro.metrics.identification import ranks_of_mates, unit_rows

CHART_KEY = {"kind": "chart"}
FACES_KEY = {"kind": "sheet of faces"}
SCENES_KEY = {"kind": "sheet of scenes"}
SHOWN_PEOPLE = 8
FACE_SIDE = 96
"""Side of a saved face crop in pixels."""
SCENE_SIDE = 320
"""Longer side of a saved scene in pixels."""


def colour_chart(patch: int = 24) -> Rgb8:
    """A made-up test chart (patch * 6 high, patch * 12 wide): hues at three levels, skin tones, greys."""
    hue = np.arange(12, dtype=np.uint8) * 15
    rows = [np.stack([hue, np.full(12, s, np.uint8), np.full(12, v, np.uint8)], 1) for s, v in CHART_LEVELS]
    hues = cv2.cvtColor(np.stack(rows), cv2.COLOR_HSV2RGB)
    skin = np.linspace((255, 219, 190), (60, 36, 26), 12).round().astype(np.uint8)
    grey = np.repeat(np.linspace(0, 255, 12).round().astype(np.uint8)[:, None], 3, axis=1)
    chart = np.concatenate([hues, skin[None], grey[None]])
    return chart.repeat(patch, axis=0).repeat(patch, axis=1)


CHART_LEVELS = ((255, 255), (150, 230), (255, 130), (110, 120))
"""Saturation and value of the chart's rows of hues, of 255."""


def save_chart(folder: Path, raw: ImageTransform, captured: ImageTransform) -> dict[str, Json]:
    """The chart before and after the profile."""
    chart = colour_chart()
    return {name: _save(folder, f"chart-{name}", view(chart)) for name, view in ((RAW, raw), (CAPTURED, captured))}


def save_faces(
    folder: Path,
    model: str,
    roll: Roll,
    draw: Draw,
    rows: Mapping[str, Float[Tensor, "N D"]],
    views: Mapping[str, ImageTransform],
    crop: Callable[[Rgb8, int], Rgb8],
) -> dict[str, Json]:
    """The first people of the first draw, unchosen: gallery photograph, and the query under every view.

    Similarity is the cosine to the own gallery photograph; the rank is that of the whole draw, by cosine.
    """
    gallery = unit_rows(rows[RAW], "gallery")[draw.gallery]
    scores = {name: unit_rows(rows[name], name)[draw.query] @ gallery.T for name in views}
    ranks = {name: ranks_of_mates(score, roll.owner[draw.query]) for name, score in scores.items()}
    people = []
    for who in range(min(SHOWN_PEOPLE, len(draw.query))):
        known, asked = int(draw.gallery[who]), int(draw.query[who])
        photo, seen = read_image(roll.photos[asked]), {}
        for i, (name, view) in enumerate(views.items()):  # a view's name may be a path
            file = _save(folder, f"face-{who}-{i}", _fit(crop(view(photo), asked), FACE_SIDE))
            seen[name] = {"file": file, "similarity": float(scores[name][who, who]), "rank": int(ranks[name][who])}
        first = _fit(crop(views[RAW](read_image(roll.photos[known])), known), FACE_SIDE)
        people.append({"gallery": _save(folder, f"face-{who}-gallery", first), "views": seen})
    return {"model": model, "people": people}


def save_scenes(folder: Path, scenes: Sequence[Scene], views: Mapping[str, ImageTransform]) -> dict[str, Json]:
    """The first scenes, unchosen, under every view; boxes stay in pixels of the full photograph."""
    shown = []
    for i, scene in enumerate(scenes):
        photo = read_image(scene.path)
        pictures = {name: _fit(view(photo), SCENE_SIDE) for name, view in views.items()}
        files = {name: _save(folder, f"scene-{i}-{n}", rgb) for n, (name, rgb) in enumerate(pictures.items())}
        truth = scene.truth.boxes[~scene.truth.crowd].tolist()
        shown.append({"width": scene.width, "height": scene.height, "truth": truth, "views": files})
    return {"scenes": shown}


def _fit(rgb: Rgb8, side: int) -> Rgb8:
    """Shrink so that the longer side is at most `side` pixels."""
    scale = side / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _save(folder: Path, name: str, rgb: Rgb8) -> str:
    """Write `sheets/NAME.png`; returns that path, relative to the run folder."""
    file = f"sheets/{name}.png"
    write_image(folder / file, rgb)
    return file

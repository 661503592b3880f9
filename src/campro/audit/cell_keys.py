"""Keys of the cells of an audit: which figure a cell holds. The report reads cells by the same keys."""

from __future__ import annotations

from collections.abc import Sequence

from campro.core.cells import Json

Key = dict[str, Json]

META: Key = {"kind": "meta"}
"""What was audited, and how."""
ENHANCER_CONTROL: Key = {"kind": "enhancer control"}
"""Correlation of enhanced with raw pictures outside faces."""
FACES_LEFT_OUT: Key = {"kind": "faces left out"}
REMAINING_INFORMATION: Key = {"kind": "remaining information"}
"""Entropies of the colour of a pixel; of profiles that map colours only."""
COLOUR_CHART: Key = {"kind": "colour chart"}
FACE_THUMBNAILS: Key = {"kind": "face thumbnails"}
SCENE_THUMBNAILS: Key = {"kind": "scene thumbnails"}


def identification(model: str, view: str, matcher: str) -> Key:
    """Identification without an attack."""
    return {"kind": "identification", "model": model, "view": view, "matcher": matcher}


def identification_by_group(model: str, view: str) -> Key:
    """Rank-1 per group of people, nearest matcher."""
    return {"kind": "identification by group", "model": model, "view": view}


def face_detection(detector: str, view: str) -> Key:
    """Share of probes in which a face detector finds the face."""
    return {"kind": "face detection", "detector": detector, "view": view}


def end_to_end(model: str, view: str) -> Key:
    """Identification of detected faces, nearest matcher."""
    return {"kind": "end to end", "model": model, "view": view}


def person_detection(view: str, adapted: bool) -> Key:
    """Scores of the person detector, as given or adapted to the view."""
    return {"kind": "person detection", "view": view, "adapted": adapted}


def image_quality(view: str) -> Key:
    """Image quality of a view against raw, by region."""
    return {"kind": "image quality", "view": view}


def attack(model: str, name: str, run: str, camera: str, matchers: Sequence[str], budget: str | None) -> Key:
    """One run of an attack; `camera` is "captured", or "control" for the camera without profile.

    The key of a trained attack has its training budget, that of others none.
    """
    key: Key = {"kind": "attack", "model": model, "attack": name, "run": run, "camera": camera}
    return key | ({} if budget is None else {"budget": budget}) | {"matchers": list(matchers)}


def attack_at(density: float, model: str, name: str, run: str, camera: str) -> Key:
    """One run of an attack with probes at a pixel density in px/m; `camera` may also be "night". Nearest matcher."""
    key: Key = {"kind": "attack at density", "density": density}
    return key | {"model": model, "attack": name, "run": run, "camera": camera}


def face_detection_at(density: float, detector: str, view: str) -> Key:
    """Share of probes at a pixel density in which a face detector finds the face."""
    return {"kind": "face detection at density", "density": density, "detector": detector, "view": view}


def people_by_height(view: str, adapted: bool) -> Key:
    """Detection of whole people by their height in pixels."""
    return {"kind": "people by height", "view": view, "adapted": adapted}

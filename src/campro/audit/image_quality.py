"""How good the pictures of a view are to look at, and how many of the faces in them are left out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor
from campro.core.progress import track
from campro.core.run_folder import Json
from campro.core.types import ImageTransform
from campro.enhance.samples import background_of
from campro.metrics.identification import wilson
from campro.metrics.quality import MIN_SIDE, Quality, black_shares, quality
from campro.models.faces import FaceDetector, load_face_detector
from campro.models.faces.face_boxes import find_face_boxes

WHOLE, OUTSIDE, INSIDE = "whole", "outside faces", "inside faces"
FINDERS = ("yunet", "dlib")
"""Face detectors that judge what is left out; enhancers learn from one of them and have never met the other."""
LEFT_OUT = 0.9
"""A face is left out if so much of its box is black."""


def picture_quality(photos: Sequence[Path], view: ImageTransform, finder: str) -> dict[str, Json]:
    """Mean quality of each region against raw pictures, faces being where `finder` sees them.

    Small pictures are left out: MS-SSIM needs sides of 176 pixels.
    """
    boxes = find_face_boxes(photos, load_face_detector(finder), cache_root())
    found: dict[str, list[Quality]] = {WHOLE: [], OUTSIDE: [], INSIDE: []}
    for photo in track(photos, f"image quality, {view.name}"):
        raw = read_image(photo)
        if min(raw.shape[:2]) < MIN_SIDE:
            continue
        background = torch.from_numpy(background_of(boxes[photo].numpy(), *raw.shape[:2]))
        regions = {WHOLE: torch.ones_like(background), OUTSIDE: background, INSIDE: ~background}
        for region, figures in quality(to_tensor(view(raw)), to_tensor(raw), regions).items():
            found[region].append(figures)
    return {region: _mean(figures) for region, figures in found.items() if figures}


def faces_left_out(photos: Sequence[Path], view: ImageTransform) -> dict[str, Json]:
    """How much of the faces that each detector finds in raw pictures is black in the view, and how many are."""
    faces = {name: find_face_boxes(photos, found, cache_root()) for name, found in _finders().items()}
    shares: dict[str, list[float]] = {name: [] for name in faces}
    for photo in track(photos, "faces left out"):
        if any(len(boxes[photo]) for boxes in faces.values()):
            seen = view(read_image(photo))
            for name, boxes in faces.items():
                shares[name] += black_shares(seen, boxes[photo])
    return {name: _left_out(own) for name, own in shares.items() if own}


def _finders() -> dict[str, FaceDetector]:
    """Those whose weights are on this machine."""
    found = {}
    for name in FINDERS:
        with suppress(CamproError):
            found[name] = load_face_detector(name)
    return found


def _left_out(shares: list[float]) -> dict[str, Json]:
    """Mean share of a face that is black, and how many faces are left out."""
    whole = sum(share >= LEFT_OUT for share in shares)
    low, high = wilson(whole, len(shares))
    rate = {"mean": whole / len(shares), "low": low, "high": high}
    return {"faces": len(shares), "area": float(np.mean(shares)), "whole": rate}


def _mean(figures: list[Quality]) -> dict[str, Json]:
    """Means over pictures; a PSNR of equal pictures is infinite, and then there is none."""
    means = {name: float(np.mean([getattr(one, name) for one in figures])) for name in Quality._fields}
    return {name: value if np.isfinite(value) else None for name, value in means.items()} | {"pictures": len(figures)}

"""Image quality of a view against raw pictures, and how many of the faces in them an enhancer removes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from campro.audit.results import FacesLeftOut, QualityResult
from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor
from campro.core.progress import track
from campro.core.types import ImageTransform
from campro.enhance.samples import background_of
from campro.metrics.quality import MIN_SIDE, Quality, black_shares, quality
from campro.metrics.rates import Rate
from campro.models.faces import FaceDetector, load_face_detector
from campro.models.faces.face_boxes import find_face_boxes

WHOLE, OUTSIDE, INSIDE = "whole", "outside faces", "inside faces"
JUDGING_DETECTORS = ("yunet", "dlib")
"""Face detectors that judge what is left out: enhancers are trained with the first, and never with the second."""
LEFT_OUT = 0.9
"""A face counts as left out if at least this share of its box is black."""


def picture_quality(photos: Sequence[Path], view: ImageTransform, face_detector: str) -> dict[str, QualityResult]:
    """Mean quality of each region against raw pictures; faces are where `face_detector` finds them in the raw ones.

    Pictures with a side below 176 pixels are left out: MS-SSIM needs that many.
    """
    boxes = find_face_boxes(photos, load_face_detector(face_detector), cache_root())
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


def faces_left_out(photos: Sequence[Path], view: ImageTransform) -> dict[str, FacesLeftOut]:
    """How much of the faces that each detector finds in raw pictures is black in the view, and how many are.

    The enhancer of `view` needs the fill "black".
    """
    faces = {name: find_face_boxes(photos, found, cache_root()) for name, found in _judging_detectors().items()}
    shares: dict[str, list[float]] = {name: [] for name in faces}
    for photo in track(photos, "faces left out"):
        if any(len(boxes[photo]) for boxes in faces.values()):
            seen = view(read_image(photo))
            for name, boxes in faces.items():
                shares[name] += black_shares(seen, boxes[photo])
    return {name: _left_out(own) for name, own in shares.items() if own}


def _judging_detectors() -> dict[str, FaceDetector]:
    """Those whose weights are on this machine."""
    found = {}
    for name in JUDGING_DETECTORS:
        with suppress(CamproError):
            found[name] = load_face_detector(name)
    return found


def _left_out(shares: list[float]) -> FacesLeftOut:
    """Mean share of a face that is black, and how many faces are left out."""
    whole = Rate.of_counts(sum(share >= LEFT_OUT for share in shares), len(shares))
    return FacesLeftOut(len(shares), float(np.mean(shares)), whole)


def _mean(figures: list[Quality]) -> QualityResult:
    """Means over pictures; a PSNR of equal pictures is infinite, and then there is none."""
    means = {name: float(np.mean([getattr(one, name) for one in figures])) for name in Quality._fields}
    finite = {name: value if np.isfinite(value) else None for name, value in means.items()}
    return QualityResult(**finite, pictures=len(figures))

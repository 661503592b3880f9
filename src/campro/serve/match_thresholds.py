"""The cosine from which on a recogniser takes two pictures for the same person, at a stated false match rate."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from campro.core.images import to_tensor
from campro.data.facemodel import FaceModel
from campro.metrics.open_set import threshold_at
from campro.models.faces import FaceDetector, FaceEmbedder, crop_with
from campro.models.faces.landmarks import main_face

FILE = Path(__file__).with_suffix(".json")
"""Measured by benchmarks/figures/match_thresholds.py."""
FMR = 0.01
"""Of thresholds from synthetic people, of whom there are too few for less."""
PEOPLE, SEED = 60, 202


@dataclass(frozen=True)
class MatchThreshold:
    """A threshold and where it comes from."""

    cosine: float
    fmr: float
    """False match rate (ISO/IEC 19795-1) of raw pictures at this threshold, 0 to 1."""
    source: str
    """What it was measured on."""
    fnmr: float | None = None
    """False non-match rate of raw pictures at this threshold; None if it was not measured."""


def match_threshold(embedder: FaceEmbedder, detector: FaceDetector) -> MatchThreshold:
    """The measured threshold of these weights; for other weights one from synthetic people, computed in seconds."""
    row = _table().get(embedder.card.name)
    if row is None or row["weights_sha256"] != embedder.card.weights_sha256:
        return synthetic_threshold(embedder, detector)
    source = f"{row['data']}, {row['impostor_pairs']} pairs of different people"
    return MatchThreshold(row["threshold"], row["fmr"], source, row["fnmr"])


def synthetic_threshold(embedder: FaceEmbedder, detector: FaceDetector) -> MatchThreshold:
    """A threshold from one picture each of synthetic people; it holds for real people only roughly."""
    crops = []
    for (picture,) in FaceModel.load().sample(PEOPLE, 1, SEED):
        if (face := main_face(detector.detect(picture), *picture.shape[:2])) is not None:
            crops.append(to_tensor(crop_with(picture, face.points, detector.scheme, embedder.card)))
    with torch.inference_mode():
        embeddings = embedder(torch.cat(crops))
    scores = embeddings @ embeddings.T
    impostors = scores[torch.triu(torch.ones_like(scores, dtype=torch.bool), 1)]
    source = f"{len(crops)} synthetic people, {len(impostors)} pairs: only a rough figure for real people"
    return MatchThreshold(threshold_at(impostors, FMR), FMR, source)


@cache
def _table() -> dict[str, dict]:
    return dict(json.loads(FILE.read_text(encoding="utf-8")))

"""Face detection on a view, and identification of only those faces that a detector finds there.

An audit crops faces by the landmarks of the raw photograph: the attacker's best case. In practice a face detector
has to find the face in the captured picture first. What that changes is measured here and reported separately.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.core.types import ImageTransform
from campro.evaluation.closed_set import identify
from campro.evaluation.evaluation_set import EvaluationSet
from campro.evaluation.matchers import NearestMatcher
from campro.isp import RAW
from campro.metrics.identification import Identification, RepeatedIdentification, summarise, summarise_hits
from campro.models.faces import FaceEmbedder, Landmarks, embed_photos, find_landmarks
from campro.models.faces.landmarks import FaceDetector, Points

MISSED = 1_000_000
"""Rank of a probe without a detected face: beyond every reported rank, however few people there are."""
TOLERANCE = 0.5
"""Landmarks are of one face if their centres differ by at most this share of the extent of the wanted ones."""


def detect_on_view(evaluation: EvaluationSet, detector: FaceDetector, view: ImageTransform) -> Landmarks:
    """Landmarks that a detector finds on a view, kept only where they are of the face of the raw photograph.

    Raises:
        CamproError: where a photograph cannot be read; counted as a missed face it would flatter the view.
    """
    detected = find_landmarks(evaluation.photos, detector, cache_root(), None if view is RAW else view)
    if detected.problems:
        raise CamproError(f"faces on {view.name}", "photographs that can be read", "; ".join(detected.problems))
    raw = evaluation.landmarks.found
    same = {photo: points for photo, points in detected.found.items() if same_face(points, raw[photo])}
    missed = tuple(photo for photo in evaluation.photos if photo not in same)
    return Landmarks(detected.scheme, detected.digest, same, missed)


def same_face(points: Points, wanted: Points) -> bool:
    """Whether two sets of landmarks, of any scheme, are of one face.

    >>> import numpy as np
    >>> face = np.array([[0.0, 0], [10, 0], [5, 5], [2, 10], [8, 10]])
    >>> same_face(face + 3, face), same_face(face + 20, face)
    (True, False)
    """
    offset = points.mean(0) - wanted.mean(0)
    extent = (wanted.max(0) - wanted.min(0)).max()
    return bool((offset**2).sum() ** 0.5 <= TOLERANCE * extent)


def face_detection_rate(evaluation: EvaluationSet, on_view: Landmarks) -> RepeatedIdentification:
    """Share of each trial's probes in which the face is detected, as the rank-1 rate of the result."""
    detected = evaluation.found_in(on_view.found)
    return summarise_hits([detected[trial.probe] for trial in evaluation.trials])


def end_to_end(
    evaluation: EvaluationSet,
    raw_embeddings: Float[Tensor, "N D"],
    embedder: FaceEmbedder,
    on_view: Landmarks,
    view: ImageTransform,
) -> RepeatedIdentification:
    """Identification by the nearest matcher where probes are cropped by the landmarks found on the view.

    A probe without a detected face is a miss at every rank.
    """
    detected = evaluation.found_in(on_view.found)
    embeddings = raw_embeddings.clone()  # the values at missed faces do not matter: their ranks are replaced
    if len(on_view.found):
        photos = [photo for photo in evaluation.photos if photo in on_view.found]
        embeddings[detected] = embed_photos(embedder, photos, on_view, view)
    views = {view.name: embeddings}
    result = identify(raw_embeddings, views, evaluation.subjects, evaluation.trials, NearestMatcher())[view.name]
    pairs = zip(result.trials, evaluation.trials, strict=True)
    ranks = [torch.where(detected[trial.probe], outcome.ranks, MISSED) for outcome, trial in pairs]
    return summarise([Identification(each) for each in ranks])

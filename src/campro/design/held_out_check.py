"""A coarse check of a new profile on people who were not trained on; it does not replace an audit."""

from __future__ import annotations

from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.data import FaceSet
from campro.evaluation import EvaluationSet, NearestMatcher, identify
from campro.isp import RAW, Camera, IspProfile
from campro.models.faces import FaceEmbedder, find_landmarks, load_face_detector

TRIALS = 10


def held_out_rank1(
    profile: IspProfile, embedder: FaceEmbedder, held_out: FaceSet, face_detector: str, seed: int
) -> dict[str, float]:
    """Rank-1 rate of held-out people in raw and captured probes, raw gallery, without an attack.

    Returns:
        Number of people and two rates from 0 to 1; empty with fewer than two people of two usable photographs each.
    """
    landmarks = find_landmarks(held_out.photos, load_face_detector(face_detector), cache_root())
    try:
        evaluation = EvaluationSet.of(held_out, landmarks, TRIALS, seed)
    except CamproError:  # nobody has two photographs with a face
        return {}
    if evaluation.people < 2:
        return {}
    views = {view.name: evaluation.embed(embedder, view) for view in (RAW, Camera(profile, "captured"))}
    rates = identify(views[RAW.name], views, evaluation.subjects, evaluation.trials, NearestMatcher())
    return {
        "held_out_people": float(evaluation.people),
        "held_out_rank1_raw": rates[RAW.name].mean(),
        "held_out_rank1_captured": rates["captured"].mean(),
    }

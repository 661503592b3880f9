"""Whether faces are still found on a view, and who is recognised if only found faces are looked at.

The audit places crops where the face of the raw photograph is, the attacker's best case. A camera's pictures have to
pass a face detector first; what that changes is measured here, and stands beside the other figures.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from campro.audit.experiments import NEAREST
from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.core.types import ImageTransform
from campro.evaluation import MATCHERS, Draw, Roll, identify
from campro.isp import RAW
from campro.metrics.identification import Identification, Repeated, summarise, summarise_hits
from campro.models.faces import FaceEmbedder, Landmarks, embed_photos, find_landmarks
from campro.models.faces.landmarks import FaceDetector, Points

NEVER = 1_000_000
"""Rank of a query without a face: beyond every rank that is reported, however few people there are."""
NEAR = 0.5
"""A face is the one of the raw photograph if the mean of its points is off by no more than so much of their extent."""


def faces_on_view(roll: Roll, raw: Landmarks, detector: FaceDetector, view: ImageTransform) -> Landmarks:
    """Landmarks that a detector finds on a view, of those faces that are the raw photographs'."""
    seen = find_landmarks(roll.photos, detector, cache_root(), None if view is RAW else view)  # raw ones are known
    if seen.problems:  # counted as faces not found they would flatter the view
        raise CamproError(f"faces on {view.name}", "photographs that can be read", "; ".join(seen.problems))
    same = {photo: points for photo, points in seen.found.items() if agrees(points, raw.found[photo])}
    missed = tuple(photo for photo in roll.photos if photo not in same)
    return Landmarks(seen.scheme, seen.digest, same, missed)


def agrees(points: Points, wanted: Points) -> bool:
    """Whether two sets of landmarks, of any scheme, are of one face.

    >>> import numpy as np
    >>> face = np.array([[0.0, 0], [10, 0], [5, 5], [2, 10], [8, 10]])
    >>> agrees(face + 4, face), agrees(face + 20, face)
    (True, False)
    """
    off = points.mean(0) - wanted.mean(0)
    extent = (wanted.max(0) - wanted.min(0)).max()
    return bool((off**2).sum() ** 0.5 <= NEAR * extent)


def found_rate(roll: Roll, on_view: Landmarks, draws: Sequence[Draw]) -> Repeated:
    """Share of each draw's queries in which the face is found: what `Repeated` gives at rank 1."""
    found = _found(roll, on_view)
    return summarise_hits([found[draw.query] for draw in draws])


def end_to_end(
    roll: Roll,
    raw_rows: Float[Tensor, "N D"],
    embedder: FaceEmbedder,
    on_view: Landmarks,
    view: ImageTransform,
    draws: Sequence[Draw],
) -> Repeated:
    """Identification of queries whose crops lie where a detector found the face on the view; the others are missed."""
    found = _found(roll, on_view)
    rows = raw_rows.clone()  # of missed faces any row would do: their ranks are not looked at
    if len(on_view.found):
        rows[found] = embed_photos(embedder, [p for p in roll.photos if p in on_view.found], on_view, view)
    result = identify(raw_rows, {view.name: rows}, roll.owner, draws, MATCHERS[NEAREST]())[view.name]
    ranks = [torch.where(found[draw.query], trial.ranks, NEVER) for trial, draw in zip(result.trials, draws)]
    return summarise([Identification(one) for one in ranks])


def _found(roll: Roll, on_view: Landmarks) -> Bool[Tensor, "N"]:
    return torch.tensor([photo in on_view.found for photo in roll.photos])

"""Whether face recognisers take two pictures for the same person: raw, captured, and after an attack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch

from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.core.types import Rgb8
from campro.models.faces import FaceDetector, FaceEmbedder, crop_with, load_embedder, load_face_detector
from campro.models.faces.landmarks import Face, main_face
from campro.serve.match_thresholds import MatchThreshold, match_threshold
from campro.serve.picture_views import PictureViews, ViewName, ViewSettings

LANDMARKS = "dlib"
"""Face detector; it finds the face in the raw picture, which is the attacker's best case."""
COMPARED: tuple[ViewName, ...] = ("raw", "captured", "inverted")
"""Views of the second picture; the first is enrolled raw."""
MARGIN = 0.5
"""Share of the face box that is added on each side of the crops that are shown."""


@dataclass(frozen=True)
class ModelScores:
    """Cosines of one recogniser."""

    model: str
    scores: dict[ViewName, float]
    """View of the second picture -> cosine with the first one, raw; -1 to 1."""
    threshold: MatchThreshold

    def matches(self, view: ViewName) -> bool:
        """Whether the recogniser takes both for the same person; ties count as a match."""
        return self.scores[view] >= self.threshold.cosine


@dataclass(frozen=True)
class Comparison:
    """The scores of all recognisers, and the faces that were compared."""

    models: tuple[ModelScores, ...]
    enrolled: Rgb8
    """The face of the first picture."""
    probes: dict[ViewName, Rgb8]
    """The face of the second picture in each view."""


class FaceComparison:
    """Compares pictures; recognisers are loaded on first use."""

    def __init__(self, views: PictureViews, models: tuple[str, ...]) -> None:
        self.views, self.models = views, models
        self._threshold = lru_cache(lambda embedder: match_threshold(embedder, self.detector))

    def compare(self, first: Rgb8, second: Rgb8, profile: str) -> Comparison:
        """Compare the main faces of two pictures, the first raw, the second in each view that the profile allows.

        Raises:
            CamproError: If a picture shows no face, or the profile is unknown.
        """
        faces = self._face(first, "first"), self._face(second, "second")
        possible = self.views.possible(self.views.profile(profile))
        settings = ViewSettings(profile)
        pictures = {view: self.views.picture(second, view, settings) for view in COMPARED if view in possible}
        shown = {view: _cut(picture, faces[1]) for view, picture in pictures.items()}
        scores = tuple(self._scores(embedder, (first, faces[0]), pictures, faces[1]) for embedder in self._embedders)
        return Comparison(scores, _cut(first, faces[0]), shown)

    @cached_property
    def detector(self) -> FaceDetector:
        """The face detector."""
        return load_face_detector(LANDMARKS)

    @cached_property
    def _embedders(self) -> tuple[FaceEmbedder, ...]:
        return tuple(load_embedder(name) for name in self.models)

    def _face(self, rgb: Rgb8, which: str) -> Face:
        face = main_face(self.detector.detect(rgb), *rgb.shape[:2])
        if face is None:
            raise CamproError(f"{which} picture", "a face from the front", "none found", "take another picture")
        return face

    @torch.inference_mode()
    def _scores(
        self, embedder: FaceEmbedder, first: tuple[Rgb8, Face], pictures: dict[ViewName, Rgb8], face: Face
    ) -> ModelScores:
        shots = [(first[0], first[1]), *((picture, face) for picture in pictures.values())]
        scheme, card = self.detector.scheme, embedder.card
        crops = torch.cat([to_tensor(crop_with(rgb, one.points, scheme, card)) for rgb, one in shots])
        embeddings = embedder(crops)
        cosines = (embeddings[1:] @ embeddings[0]).tolist()
        return ModelScores(card.name, dict(zip(pictures, cosines)), self._threshold(embedder))


def _cut(rgb: Rgb8, face: Face) -> Rgb8:
    """The face and its surroundings."""
    x0, y0, x1, y1 = face.box
    wide, high = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
    left, top = max(0, round(x0 - wide)), max(0, round(y0 - high))
    return rgb[top : max(top + 1, round(y1 + high)), left : max(left + 1, round(x1 + wide))]

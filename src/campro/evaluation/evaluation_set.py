"""Who is compared with whom: subjects, their photographs, landmarks, and the trials of an evaluation.

Every evaluation (`campro audit`, attacks, the check at the end of `campro design`) reads faces through this one class.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.types import ImageTransform, Rgb8
from campro.data.faces import FaceSet
from campro.data.splits import draw_split
from campro.models.faces import FaceEmbedder, Landmarks, embed_photos
from campro.models.faces.align import crop_with
from campro.models.faces.embedder_card import EmbedderCard


@dataclass(frozen=True)
class Trial:
    """One repeat of closed-set identification: row numbers of each subject's gallery and probe photograph."""

    gallery: Int[Tensor, "P"]
    probe: Int[Tensor, "P"]
    seed: int
    """Seed with which the photographs were drawn."""


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Subjects with two photographs or more, in one fixed order: the order of all embeddings.

    Photographs in which no face was found leave the set beforehand. Whether a photograph is used must not depend on
    the view, or views would be compared on different people.
    """

    faces: FaceSet
    """The subjects and their photographs."""
    landmarks: Landmarks
    """Of the raw photographs."""
    repeats: int = 10
    """Number of trials."""
    seed: int = 0
    """Seed of the first trial; trial r has seed + r."""
    original: EvaluationSet | None = None
    """The set of which these photographs are shrunk copies, in the same order; both have the same trials."""

    @staticmethod
    def of(faces: FaceSet, landmarks: Landmarks, repeats: int = 10, seed: int = 0) -> EvaluationSet:
        """The subjects with two or more photographs in which a face was found.

        Raises:
            CamproError: where nobody has two such photographs, or for less than one repeat.
        """
        if repeats < 1:
            raise CamproError("identification", "at least one repeat", str(repeats))
        return EvaluationSet(faces.only(landmarks.found).with_at_least(2), landmarks, repeats, seed)

    @cached_property
    def photos(self) -> tuple[Path, ...]:
        """All photographs, subject by subject in alphabetical order."""
        return tuple(photo for _, photos in sorted(self.faces.identities.items()) for photo in photos)

    @cached_property
    def subjects(self) -> Int[Tensor, "N"]:
        """Number of the subject that each photograph shows, from 0, in alphabetical order."""
        people = [photos for _, photos in sorted(self.faces.identities.items())]
        return torch.tensor([number for number, photos in enumerate(people) for _ in photos], dtype=torch.long)

    @property
    def people(self) -> int:
        """Number of subjects."""
        return len(self.faces.identities)

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Seeded gallery and probe photographs (CamPro, NDSS 2024, VI-A)."""
        if self.original is not None:
            return self.original.trials
        row = {photo: number for number, photo in enumerate(self.photos)}
        trials = []
        for seed in range(self.seed, self.seed + self.repeats):
            split = draw_split(self.faces, seed)
            gallery, probe = (torch.tensor([row[path] for path in side]) for side in (split.gallery, split.probe))
            trials.append(Trial(gallery, probe, seed))
        return tuple(trials)

    def embed(self, embedder: FaceEmbedder, view: ImageTransform) -> Float[Tensor, "N D"]:
        """Unit-norm embeddings of all photographs as `view` shows them, cropped by the raw photographs' landmarks."""
        return embed_photos(embedder, self.photos, self.landmarks, view)

    def crop(self, rgb: Rgb8, row: int, card: EmbedderCard) -> Rgb8:
        """The aligned face of photograph `row`, cut from any view `rgb` of that photograph."""
        landmarks = self.landmarks
        return crop_with(rgb, landmarks.found[self.photos[row]], landmarks.scheme, card, landmarks.interpolation)

    def non_mated(self, others: FaceSet) -> tuple[Path, ...]:
        """One photograph each of people in `others` who are not enrolled: those with a single usable photograph."""
        singles = [photos[0] for photos in others.identities.values() if len(photos) == 1]
        return tuple(photo for photo in singles if photo in self.landmarks.found)

    def found_in(self, photos: Collection[Path]) -> Tensor:
        """Which photographs are in `photos`: a bool per photograph, in the order of `photos` of the set."""
        return torch.tensor([photo in photos for photo in self.photos])

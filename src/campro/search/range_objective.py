"""What one profile protects at several pixel densities, and what it costs: a minute instead of an audit's hours.

Identification is that of the best of a few attacks without training, with the best of four galleries. It is a lower
bound on what an attacker reaches: judge the chosen profile by `campro audit` with trained attacks, on other people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from campro.attacks.analytic_inversion import ANALYTIC_INVERSION
from campro.attacks.attack_base import Adversary, AttackerKnowledge
from campro.attacks.attack_cache import AttackCache
from campro.attacks.budget import QUICK
from campro.attacks.colour_maps import COLOUR_MAPS
from campro.attacks.filters import IMAGE_FILTERS, NO_ATTACK
from campro.core.chain import Chain
from campro.core.images import read_image, to_tensor
from campro.core.types import Detections, ImageTransform, Rgb8, Scene
from campro.evaluation import EvaluationSet
from campro.evaluation.person_heights import Detected, detected_at_scale, height_class
from campro.isp import RAW, Camera, IspProfile
from campro.isp.camera_settings import settings_of
from campro.metrics.detection import average_precision, kept_precision
from campro.metrics.identification import Identification, mate_ranks
from campro.metrics.rates import Rate, Ratio
from campro.models.faces import FaceEmbedder, embed_photos
from campro.models.faces.embedding import embed_crops
from campro.models.persons import TrainableDetector

FULL_SIZE = 0.0
"""Stands for the density of the photographs as they are."""
TRIED_ATTACKS = (NO_ATTACK, IMAGE_FILTERS, COLOUR_MAPS, ANALYTIC_INVERSION)
TRIED_FILTERS = ("auto-contrast", "principal component", "green channel")
"""Those that identified most people behind `campro-strong`."""
LEFT_OUT = ("polynomial", "monotone curves", "neighbourhood inverse")
"""Runs that take long; an audit has them."""
HEIGHTS = (40.0, 120.0)
"""Heights of people in pixels of the raw picture, in front of the camera."""
SIZES = (1.0, 0.5)
"""Factors by which scenes are scaled for the people of these heights. A detector that shrinks its input does not see
all pixels of a photograph; it does see those of half the photograph, and a scaler costs people there.
"""
PAIRS = 20
"""Photographs from which colour maps and the prior of raw colours are taken."""
RESAMPLES = 50


@dataclass(frozen=True)
class AttackRate:
    """What one attack identifies at one density."""

    density: float
    """In px/m; FULL_SIZE: the photographs as they are."""
    rank1: Rate
    attack: str
    gallery: str
    """Which of the galleries was best; see `RangeObjective`."""


@dataclass(frozen=True)
class PeopleKept:
    """Person detection relative to the camera without profile, by the detector as it is."""

    ap: float
    kept_ap: Ratio
    """AP over that on raw pictures, by a paired bootstrap over pictures."""
    detected: Rate
    """Share of whole people of these heights detected, in pictures of all sizes (`SIZES`)."""
    kept_detected: float | None
    """That share over the share in raw pictures; None if nobody of that height is detected there."""
    heights: tuple[float, float] = HEIGHTS
    """In pixels."""


class RangeObjective:
    """Faces, scenes and models that all tried profiles are judged on.

    Galleries: the raw photographs, the same at the density of the probes, the same through the output settings
    (`settings_of`), and through the whole camera (for a probe without attack).
    """

    def __init__(
        self,
        sides: dict[float, EvaluationSet],
        scenes: Sequence[Scene],
        embedder: FaceEmbedder,
        detector: TrainableDetector,
        seed: int,
        heights: tuple[float, float] = HEIGHTS,
    ) -> None:
        """`sides`: the evaluation set at each density, each with its `original`; FULL_SIZE is the photographs.
        `heights`: those of the people who are counted, in pixels.
        """
        self.heights = heights
        self.sides, self.scenes, self.embedder, self.detector, self.seed = sides, scenes, embedder, detector, seed

    @cached_property
    def _raw(self) -> list[list[Detected]]:
        return self._detected(RAW)

    def people_kept(self, profile: IspProfile) -> PeopleKept:
        """Person detection behind the profile, by the detector as it is."""
        raw, found = self._raw, self._detected(Camera(profile))
        scenes, captured = [scene for scene, _, _ in found[0]], [detections for _, detections, _ in found[0]]
        kept = kept_precision(scenes, captured, [detections for _, detections, _ in raw[0]], RESAMPLES, self.seed)
        detected, before = (_share(list(chain(*each)), self.heights) for each in (found, raw))
        share = detected.mean / before.mean if before.mean > 0 else None
        return PeopleKept(average_precision(scenes, captured)[0], kept, detected, share, self.heights)

    def worst_attacks(self, profile: IspProfile) -> tuple[AttackRate, ...]:
        """The worst attack at each density, by rising density with the photographs as they are last."""
        adversaries = self.adversaries(profile)
        densities = sorted(self.sides, key=lambda density: density or np.inf)
        return tuple(
            max(self.rates_at(profile, density, adversaries), key=lambda one: one.rank1.mean) for density in densities
        )

    def _detected(self, camera: ImageTransform) -> list[list[Detected]]:
        """By the size of the pictures, in the order of `SIZES`."""

        def detect(rgb: Rgb8) -> Detections:
            return self.detector.detect(to_tensor(rgb))[0]

        return [list(detected_at_scale(self.scenes, camera, detect, size)) for size in SIZES]

    def adversaries(self, profile: IspProfile) -> dict[str, Adversary]:
        """The attacks that are tried, prepared for the profile."""
        photos = tuple(scene.path for scene in self.scenes[:PAIRS])
        knowledge = AttackerKnowledge(
            self.embedder, self.seed, photos, cameras=(Camera(profile),), profiles=(profile,), budget=QUICK
        )
        runs = {}
        for attack in TRIED_ATTACKS:
            for name, prepare in attack.runs(knowledge, AttackCache()).items():
                skipped = attack is IMAGE_FILTERS and name not in TRIED_FILTERS
                if not skipped and not name.startswith(LEFT_OUT):
                    runs[name] = prepare()
        return runs

    def rates_at(self, profile: IspProfile, density: float, adversaries: dict[str, Adversary]) -> list[AttackRate]:
        """Rank-1 of each attack with each gallery at one density."""
        side = self.sides[density]
        trial, camera = side.trials[0], Camera(profile)
        captured = [camera(read_image(side.photos[row])) for row in trial.probe.tolist()]
        galleries = self._galleries(side, profile)
        found = []
        for name, adversary in adversaries.items():
            attacked = Chain(name, *adversary.transforms) if adversary.transforms else RAW
            probes = self._embedded(side, captured, trial.probe.tolist(), attacked)
            entries = galleries | ({"through the camera": self._through(side, camera)} if attacked is RAW else {})
            for gallery, enrolled in entries.items():
                ranks = Identification(mate_ranks(enrolled, probes)).ranks
                found.append(AttackRate(density, Rate.of_counts(int((ranks == 1).sum()), len(ranks)), name, gallery))
        return found

    def _galleries(self, side: EvaluationSet, profile: IspProfile) -> dict[str, Float[Tensor, "P D"]]:
        assert side.original is not None
        found = {"full size": self._through(side.original, RAW), "at this density": self._through(side, RAW)}
        if settings := settings_of(profile):
            found["through the output settings"] = self._through(side, Camera(IspProfile("settings", settings)))
        return found

    def _through(self, side: EvaluationSet, view: ImageTransform) -> Float[Tensor, "P D"]:
        """The gallery photographs as a view shows them."""
        photos: list[Path] = [side.photos[row] for row in side.trials[0].gallery.tolist()]
        return embed_photos(self.embedder, photos, side.landmarks, view, bfloat16=True)

    def _embedded(
        self, side: EvaluationSet, pictures: Sequence[Rgb8], rows: Sequence[int], view: ImageTransform
    ) -> Float[Tensor, "P D"]:
        card = self.embedder.card
        crops = np.stack([side.crop(view(rgb), row, card) for rgb, row in zip(pictures, rows, strict=True)])
        parts = [crops[start : start + 32] for start in range(0, len(crops), 32)]
        return torch.cat([torch.from_numpy(embed_crops(self.embedder, part, bfloat16=True)) for part in parts])


def as_original(evaluation: EvaluationSet) -> EvaluationSet:
    """The photographs as they are, as one of the sides of `RangeObjective`."""
    return replace(evaluation, original=evaluation)


def _share(found: Sequence[Detected], heights: tuple[float, float]) -> Rate:
    people = height_class(found, *heights)
    return Rate(0, 0, 1, 0) if people is None else people.detected

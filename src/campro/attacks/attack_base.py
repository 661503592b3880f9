"""What an attack is: its threat model, the attacker's knowledge, and the adversary that a run ends with.

An attack prepares; the audit evaluates. No attack computes its own recognition rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from campro.attacks.attack_cache import AttackCache
from campro.attacks.budget import STANDARD, Budget
from campro.core.device import device_of
from campro.core.errors import CamproError
from campro.core.hashing import json_digest, tensors_sha256
from campro.core.run_folder import Json
from campro.core.types import ImageTransform
from campro.data import FaceSet
from campro.isp import IspProfile
from campro.models.faces.embedder_card import FaceEmbedder
from campro.models.faces.landmarks import Landmarks

ThreatModel = Literal["none", "black-box", "gray-box", "white-box"]
"""What an attacker knows about the camera.

- "none": no attack; the off-the-shelf recogniser is applied to captured photographs without any preparation.
- "black-box": nothing is known about the camera.
- "gray-box": the attacker owns such a camera, or has collected photographs taken with it; the profile is unknown.
- "white-box": the profile itself is known.
"""


@dataclass(frozen=True, eq=False)
class AttackerKnowledge:
    """All that an attacker has. The people to recognise in the evaluation are never part of it.

    `cameras` and `profiles` hold one element each where the threat model includes it, and are empty otherwise.
    """

    embedder: FaceEmbedder
    """An off-the-shelf recogniser."""
    seed: int
    photos: tuple[Path, ...] = ()
    """Photographs of any content, for pairs with and without the profile."""
    faces: FaceSet | None = None
    """Named faces for training."""
    landmarks: Landmarks | None = None
    """Landmarks of `faces`, found in raw photographs."""
    cameras: tuple[ImageTransform, ...] = ()
    profiles: tuple[IspProfile, ...] = ()
    restorers: tuple[ImageTransform, ...] = ()
    """Networks for image restoration that others have trained."""
    budget: Budget = STANDARD
    densities: tuple[float, ...] = ()
    """Pixel densities in px/m at which the camera sees the training faces, beside the photographs as they are."""
    others: tuple[FaceEmbedder, ...] = ()
    """Other recognisers with gradients, to train with. Not part of `digest`: runs that use one name it."""

    @property
    def camera(self) -> ImageTransform:
        """The camera with the profile.

        Raises:
            CamproError: if the threat model has no camera.
        """
        if not self.cameras:
            wanted, remedy = "a threat model with a camera", "declare it gray-box or white-box"
            raise CamproError("attack", wanted, "one without", remedy)
        return self.cameras[0]

    @property
    def profile(self) -> IspProfile:
        """The profile itself.

        Raises:
            CamproError: if the threat model does not include the profile.
        """
        if not self.profiles:
            raise CamproError("attack", "a threat model with the profile", "one without", "declare it white-box")
        return self.profiles[0]

    @cached_property
    def digest(self) -> str:
        """Content hash of all fields but `others`; every key in an `AttackCache` begins with it.

        Photographs in `photos` count by their paths, all else by content.
        """
        points = {} if self.landmarks is None else {str(p): xy.tolist() for p, xy in self.landmarks.found.items()}
        distant = {"densities": list(self.densities)} if self.densities else {}
        return json_digest(
            distant
            | {
                "embedder": embedder_facts(self.embedder),
                "seed": self.seed,
                "photos": [str(photo) for photo in self.photos],
                "faces": self.faces and self.faces.digest,
                "landmarks": self.landmarks and [self.landmarks.scheme, self.landmarks.digest, points],
                "cameras": [camera.digest for camera in self.cameras],
                "profiles": [profile.digest for profile in self.profiles],
                "restorers": [restorer.digest for restorer in self.restorers],
                "budget": asdict(self.budget),
            }
        )


def embedder_facts(embedder: FaceEmbedder) -> Json:
    """Class, card, weights and device of a recogniser, for cache keys."""
    weights = embedder.card.weights_sha256 or tensors_sha256(embedder.state_dict())
    return [type(embedder).__qualname__, asdict(embedder.card), weights, str(device_of(embedder))]


@dataclass(frozen=True)
class TrainingResult:
    """The course of one training."""

    curve: tuple[float, ...]
    """Validation scores, higher is better: before the training, then after each epoch. See `TrainingRun.score`."""
    converged: bool
    earlier_s: float = 0.0
    """Seconds of it that earlier processes spent, whose stored state was used."""


@dataclass(frozen=True)
class Adversary:
    """What a run of an attack ends with: how probes and gallery images are embedded. The default is no attack.

    Raises:
        CamproError: if both `probe_images` and `gallery_images` are above one.
    """

    transforms: tuple[ImageTransform, ...] = ()
    """Applied to a captured photograph, each by itself; their embeddings are averaged. None: the photograph itself."""
    embedder: FaceEmbedder | None = None
    """The recogniser of captured photographs; None: the off-the-shelf one."""
    gallery: Literal["raw", "captured"] = "raw"
    """Photographs in the gallery; "captured" is re-enrolment."""
    gallery_embedder: Literal["off the shelf", "own"] = "off the shelf"
    """The recogniser of a raw gallery: the off-the-shelf one, or `embedder`."""
    probe_images: int = 1
    """Captured photographs of one person whose embeddings are averaged to one probe; or all but the gallery image."""
    gallery_images: int = 1
    """Photographs of each person whose embeddings are averaged to one gallery template; or all but the probe."""
    frames: int = 1
    """Video frames of each photograph, slightly shifted and noisy, whose embeddings are averaged."""
    learned_from: int | None = None
    """Number of photographs in the training set, if there was one."""
    training: TrainingResult | None = None

    def __post_init__(self) -> None:
        if self.probe_images > 1 and self.gallery_images > 1:
            raise CamproError("adversary", "several probe images or several gallery images", "both", "they may overlap")


Runs = Mapping[str, Callable[[], Adversary]]
"""The runs of an attack, by name: each makes one adversary, which may take hours. The best of them counts."""


@dataclass(frozen=True)
class Attack:
    """One line of the table of attacks."""

    name: str
    threat_model: ThreatModel
    given: str
    """What the attacker has, in words for the report."""
    runs: Callable[[AttackerKnowledge, AttackCache], Runs]
    """The runs that this knowledge allows; the cache holds what several runs share."""
    trained: bool = False
    """Whether runs train networks, which takes long and may fail."""
    needs_gradients: bool = True
    """Whether a trained attack needs the gradients of the recogniser that is attacked with."""


def restrict(threat_model: ThreatModel, everything: AttackerKnowledge) -> AttackerKnowledge:
    """The part of all knowledge that an attacker of this threat model has."""
    if threat_model == "white-box":
        return everything
    if threat_model == "gray-box":
        return replace(everything, profiles=())
    return AttackerKnowledge(
        everything.embedder, everything.seed, restorers=everything.restorers, budget=everything.budget
    )

"""What an attacker is: what it may know, how it prepares, and what it ends up with. No attack judges itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from campro.attacks.budget import STANDARD, Budget
from campro.core.errors import CamproError
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
    """What the harness hands to an attacker; people whom the audit recognises are never among it.

    `camera` and `profile` are there only for attackers whose threat model includes them; asking for one that is not
    is a mistake in the attack.
    """

    embedder: FaceEmbedder
    """A recogniser off the shelf."""
    seed: int
    photos: tuple[Path, ...] = ()
    """Photographs of anything, to be taken with and without the profile."""
    people: FaceSet | None = None
    """Named faces for training."""
    landmarks: Landmarks | None = None
    """Of these faces, found in raw photographs."""
    cameras: tuple[ImageTransform, ...] = ()
    profiles: tuple[IspProfile, ...] = ()
    restorers: tuple[ImageTransform, ...] = ()
    """General image restoration that was at hand."""
    budget: Budget = STANDARD

    @property
    def camera(self) -> ImageTransform:
        """A camera with the profile in it."""
        if not self.cameras:
            raise CamproError(
                "attack", "a threat model with a camera", "one without", "declare it gray-box or white-box"
            )
        return self.cameras[0]

    @property
    def profile(self) -> IspProfile:
        """The profile itself."""
        if not self.profiles:
            raise CamproError("attack", "a threat model with the profile", "one without", "declare it white-box")
        return self.profiles[0]


@dataclass(frozen=True)
class Training:
    """How an attacker's training went."""

    curve: tuple[float, ...]
    """Validation score over time, higher is better; of training people that were kept aside."""
    converged: bool


@dataclass(frozen=True)
class Adversary:
    """What an attacker ends up with: how it looks at a captured photograph, and what it compares it with."""

    restores: tuple[ImageTransform, ...] = ()
    """What it makes of a captured photograph; the embeddings of several are averaged. None: the photograph as it is."""
    embedder: FaceEmbedder | None = None
    """Its own recogniser for captured photographs; None: the one off the shelf."""
    gallery: Literal["raw", "captured"] = "raw"
    """AttackerKnowledge people are known from raw photographs, or from captured ones (re-enrolment)."""
    enrols: Literal["off the shelf", "itself"] = "off the shelf"
    """Whose embeddings of raw gallery photographs the probes are compared with."""
    pictures: int = 1
    """Captured pictures of a person whose embeddings are averaged; of people with fewer, all but the known one."""
    enrolled: int = 1
    """Photographs that each person is known by, whose embeddings are averaged; or all but the query."""
    frames: int = 1
    """Frames of each moment, slightly moved and with noise as a video's, whose embeddings are averaged."""
    learned_from: int | None = None
    """Photographs, where it learned from any."""
    training: Training | None = None

    def __post_init__(self) -> None:
        if self.pictures > 1 and self.enrolled > 1:
            raise CamproError("adversary", "several pictures or several enrolled ones", "both", "they would overlap")


Runs = Mapping[str, Callable[[], Adversary]]
"""What an attacker tries, by name: each makes one adversary, which may take long. The best of them counts."""


@dataclass(frozen=True)
class Attack:
    """A rung of the ladder."""

    name: str
    threat_model: ThreatModel
    given: str
    """What it is given, in words."""
    runs: Callable[[AttackerKnowledge], Runs]
    trained: bool = False
    """Whether runs are trainings, which cost and may fail."""


def restrict(threat_model: ThreatModel, everything: AttackerKnowledge) -> AttackerKnowledge:
    """Of all that the harness has, what an attacker of that kind is handed."""
    if threat_model == "white-box":
        return everything
    if threat_model == "gray-box":
        return replace(everything, profiles=())
    known = everything
    return AttackerKnowledge(known.embedder, known.seed, restorers=known.restorers, budget=known.budget)

"""The data of one ladder of attackers: whom they look for, what they learn from, and what each is handed."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

from jaxtyping import Int
from torch import Tensor

from campro.attacks.attack_base import Attack, AttackerKnowledge, ThreatModel, restrict
from campro.attacks.attack_cache import AttackCache
from campro.attacks.budget import BUDGETS
from campro.attacks.onnx_restorer import OnnxRestorer
from campro.audit.suite_config import SuiteConfig
from campro.core.catalogue import cache_root
from campro.core.device import best_device
from campro.core.errors import CamproError
from campro.core.images import list_images
from campro.core.types import ImageTransform
from campro.data import FaceSet, read_faces
from campro.data.embedded import embedded_faces, embedded_scenes
from campro.data.verification_pairs import VerificationPairs, read_pairs
from campro.evaluation import Draw, Roll, call_roll, draw_repeats
from campro.evaluation.subject_groups import groups_of
from campro.isp import RAW, Camera, IspProfile, load_profile
from campro.models.faces import find_landmarks, load_embedder, load_face_detector
from campro.models.faces.landmarks import Landmarks

CONTROL, CAPTURED = "control", "captured"
"""The attack on a camera without profile, and on the one with it."""
PAIRS_FILE = "pairs.txt"
"""In the folder of the people to recognise, where there is one: pairs for verification, as LFW has them."""


class SuiteContext:
    """Loads each part when it is first needed."""

    def __init__(self, config: SuiteConfig) -> None:
        self.config = config
        self.cache = AttackCache()
        self.profile: IspProfile = load_profile(config.profile)
        self.cameras: dict[str, ImageTransform] = {CONTROL: RAW, CAPTURED: Camera(self.profile, CAPTURED)}

    @cached_property
    def faces(self) -> FaceSet:
        """The people to recognise."""
        return embedded_faces("test", cache_root()) if self.config.faces is None else read_faces(self.config.faces)

    @cached_property
    def people(self) -> FaceSet:
        """The people whom attackers train on; none of the others may be among them."""
        told = self.config.train_faces
        people = embedded_faces("train", cache_root()) if told is None else read_faces(told)
        if shared := set(people.contents.values()) & set(self.faces.contents.values()):
            raise CamproError(
                "attack", "other people to train on than to recognise", f"{len(shared)} shared photographs"
            )
        return people

    @cached_property
    def photos(self) -> tuple[Path, ...]:
        """Photographs of anything."""
        if not self.config.photos:
            return tuple(scene.path for scene in embedded_scenes("train", cache_root()).scenes)
        return tuple(photo for folder in self.config.photos for photo in list_images(folder))

    @cached_property
    def landmarks(self) -> Landmarks:
        """Of the people to recognise."""
        return self._landmarks(self.faces)

    @cached_property
    def train_landmarks(self) -> Landmarks:
        """Of the people to train on."""
        return self._landmarks(self.people)

    def _landmarks(self, faces: FaceSet) -> Landmarks:
        return find_landmarks(faces.photos, load_face_detector(self.config.landmarks), cache_root())

    @cached_property
    def roll(self) -> Roll:
        """People with two photographs or more in which a face was found."""
        return call_roll(self.faces.only(self.landmarks.found))

    @cached_property
    def draws(self) -> list[Draw]:
        """Gallery and query photographs of each repeat."""
        return draw_repeats(self.roll, self.config.repeats, self.config.seed)

    @cached_property
    def groups(self) -> dict[str, Int[Tensor, " P"]]:
        """People, by the roll's numbers, whose figures are told apart."""
        return groups_of(self.roll, self.landmarks)

    @cached_property
    def strangers(self) -> tuple[Path, ...]:
        """Photographs of people who are not enrolled: those with a single one."""
        singles = [photos[0] for photos in self.faces.identities.values() if len(photos) == 1]
        return tuple(photo for photo in singles if photo in self.landmarks.found)

    @property
    def judged(self) -> tuple[Path, ...]:
        """All photographs that adversaries are judged on: those of the roll, then strangers'."""
        return (*self.roll.photos, *self.strangers)

    @cached_property
    def pairs(self) -> VerificationPairs | None:
        """For verification, where the folder has a list of them and enough is at hand, all among the judged ones."""
        if (path := self.faces.metadata_file(PAIRS_FILE)) is None:
            return None
        pairs = read_pairs(path, self.faces.only(self.judged))
        return pairs if pairs.folds_complete else None

    @cached_property
    def restorers(self) -> tuple[ImageTransform, ...]:
        """Networks from outside."""
        return tuple(OnnxRestorer(path) for path in self.config.restorers)

    def handed(self, attack: Attack, model: str, side: str) -> AttackerKnowledge:
        """What an attack may know of all that there is; the same object for the same question.

        Attackers keep what they computed from it.
        """
        return self._handed(attack.threat_model, model, side)

    @lru_cache(maxsize=4)  # noqa: B019  (lives as long as the program)
    def _handed(self, threat_model: ThreatModel, model: str, side: str) -> AttackerKnowledge:
        everything = AttackerKnowledge(
            load_embedder(model).to(best_device()),
            self.config.seed,
            self.photos,
            self.people,
            self.train_landmarks,
            (self.cameras[side],),
            (self.profile if side == CAPTURED else IspProfile("identity", ()),),
            self.restorers,
            BUDGETS[self.config.budget],
        )
        return restrict(threat_model, everything)

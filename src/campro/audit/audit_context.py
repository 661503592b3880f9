"""The data and models of an audit, each loaded when it is first needed."""

from __future__ import annotations

from functools import cache, cached_property, lru_cache
from pathlib import Path
from statistics import median

import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.attacks.attack_base import Attack, AttackerKnowledge, ThreatModel, restrict
from campro.attacks.attack_cache import AttackCache
from campro.attacks.budget import BUDGETS
from campro.attacks.onnx_restorer import OnnxRestorer
from campro.audit.audit_config import CAPTURED, ENHANCED, FEWEST_PEOPLE, RAW, AuditConfig
from campro.audit.image_quality import faces_left_out, picture_quality
from campro.audit.results import FacesLeftOut, QualityResult
from campro.audit.views import audit_views, night_camera, with_black_fill
from campro.core.catalogue import cache_root
from campro.core.device import best_device
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import list_images, to_tensor
from campro.core.progress import note
from campro.core.types import Detections, ImageTransform, Rgb8, Scene
from campro.data import FaceSet, SceneSet, join_scenes, read_faces, read_scenes
from campro.data.embedded import embedded_faces, embedded_scenes
from campro.data.verification_pairs import VerificationPairs, read_pairs
from campro.evaluation import EvaluationSet
from campro.evaluation.face_detection import detect_on_view, end_to_end, face_detection_rate
from campro.evaluation.person_heights import PeopleByHeight, people_by_height
from campro.evaluation.pixel_density import at_density
from campro.evaluation.subject_groups import groups_of, labels_digest
from campro.isp import RAW as RAW_CAMERA
from campro.isp import Camera, IspProfile, load_profile
from campro.metrics.detection import (
    THRESHOLD,
    DetectionScores,
    average_precision,
    kept_precision,
    score_detections,
)
from campro.metrics.identification import RepeatedIdentification
from campro.metrics.rates import Ratio
from campro.models.faces import FaceEmbedder, Landmarks, embed_photos, find_landmarks, load_embedder, load_face_detector
from campro.models.persons import TrainableDetector, load_detector
from campro.models.persons.adapted_detectors import AdaptationInputs, stored_adaptation
from campro.models.persons.detector_adaptation import (
    AdaptationOutcome,
    AtSize,
    detect_scenes,
    with_pseudo_labels,
)

CONTROL = "control"
"""The camera without profile, on which every attack is run, too."""
NIGHT = "night"
"""The camera with the profile in night mode: grey pictures, the colour matrix switched off, as cameras do."""
PAIRS_FILE = "pairs.txt"
"""In the folder of faces, where there is one: pairs for verification in the format of LFW."""


class AuditContext:
    """Everything that the experiments of one audit read."""

    def __init__(self, config: AuditConfig) -> None:
        self.config = config
        self.profile: IspProfile = load_profile(config.profile)
        self.views: dict[str, ImageTransform] = audit_views(self.profile, config)
        self.cameras: dict[str, ImageTransform] = {
            CONTROL: RAW_CAMERA,
            CAPTURED: Camera(self.profile, CAPTURED),
            NIGHT: night_camera(self.profile),
        }
        """What attacks are run on."""
        self._embedders: dict[str, FaceEmbedder] = {}

    # Faces ---------------------------------------------------------------------------------------------------

    @cached_property
    def faces(self) -> FaceSet:
        """The people to recognise, as found on disk."""
        folder = self.config.faces
        return embedded_faces("test", cache_root()) if folder is None else read_faces(folder)

    @cached_property
    def evaluation(self) -> EvaluationSet:
        """Subjects, landmarks and trials.

        Raises:
            CamproError: with fewer people than `FEWEST_PEOPLE` without --few-people, and with fewer than two.
        """
        found = EvaluationSet.of(self.faces, self.landmarks(self.faces), self.config.repeats, self.config.seed)
        if found.people < self._fewest:
            wanted = f"at least {self._fewest} people with two photographs or more in which a face is found"
            remedy = "add people" + (
                ", or give --few-people" if found.people >= 2 else ": with one, nobody is mistaken"
            )
            raise CamproError("--faces", wanted, str(found.people), remedy)
        return found

    @cached_property
    def densities(self) -> tuple[float, ...]:
        """Those of the options at which enough people are left; the others are named on stderr."""
        usable = []
        for density in sorted(self.config.densities):
            try:
                people = self.distant(density).people
            except CamproError:  # nobody
                people = 0
            if people >= self._fewest:
                usable.append(density)
            else:
                note(f"audit: {density:g} px/m left out: {people} people have two photographs of that density")
        return tuple(usable)

    @property
    def _fewest(self) -> int:
        """Fewest people that an audit accepts."""
        return 2 if self.config.few_people else FEWEST_PEOPLE

    @lru_cache(maxsize=16)  # noqa: B019  (lives as long as the process)
    def distant(self, density: float) -> EvaluationSet:
        """The subjects as they are at a pixel density in px/m; see `pixel_density.at_density`."""
        return at_density(self.evaluation, density, cache_root())

    def groups_at(self, density: float) -> dict[str, Int[Tensor, " P"]]:
        """`groups` by the subject numbers of `distant(density)`."""
        names = sorted(self.evaluation.faces.identities)
        number = {name: subject for subject, name in enumerate(sorted(self.distant(density).faces.identities))}
        return {
            group: torch.tensor(
                [number[names[one]] for one in people.tolist() if names[one] in number], dtype=torch.long
            )
            for group, people in self.groups.items()
        }

    @cached_property
    def groups(self) -> dict[str, Int[Tensor, " P"]]:
        """Subject numbers of each group whose rates are reported separately."""
        return groups_of(self.evaluation)

    @cached_property
    def non_mated(self) -> tuple[Path, ...]:
        """Photographs of people who are not enrolled."""
        singles = self.evaluation.non_mated(self.faces)
        return singles[1::2] if self.config.distractors else singles

    @cached_property
    def distractors(self) -> tuple[Path, ...]:
        """Photographs of people who are enrolled in every gallery, and whom nobody searches for."""
        return self.evaluation.non_mated(self.faces)[::2] if self.config.distractors else ()

    @property
    def judged_photos(self) -> tuple[Path, ...]:
        """All photographs that attacks are judged on: of the subjects, of people not enrolled, of distractors."""
        return (*self.evaluation.photos, *self.non_mated, *self.distractors)

    @cached_property
    def pairs(self) -> VerificationPairs | None:
        """For verification, where the folder has a list of them and enough photographs are there."""
        if (path := self.faces.metadata_file(PAIRS_FILE)) is None:
            return None
        pairs = read_pairs(path, self.faces.only(self.judged_photos))
        return pairs if pairs.folds_complete else None

    def landmarks(self, faces: FaceSet) -> Landmarks:
        """Of the raw photographs, by the face detector of the audit."""
        return find_landmarks(faces.photos, load_face_detector(self.config.landmarks), cache_root())

    # Scenes --------------------------------------------------------------------------------------------------

    @cached_property
    def scene_set(self) -> SceneSet:
        """The photographs with people to detect."""
        file = self.config.scenes
        return embedded_scenes("test", cache_root()) if file is None else read_scenes(file, self.config.images)

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """The audited photographs with people."""
        return self.scene_set.scenes

    @cached_property
    def train_scenes(self) -> SceneSet:
        """The photographs on which the detector may adapt; those that are audited, too, are left out."""
        if self.config.faces is None:
            return embedded_scenes("train", cache_root())
        folder = self.config.images
        joined = join_scenes([read_scenes(path, folder, unlabelled=True) for path in self.config.train_scenes])
        return joined if self.config.scenes is None else joined.without(self.scene_set)

    @cached_property
    def _adaptation_scenes(self) -> tuple[Scene, ...]:
        """The training scenes, those without labels with pseudo-labels."""
        return with_pseudo_labels(self.detector, self.train_scenes.scenes)

    @property
    def adapts(self) -> bool:
        """Whether the person detector adapts to each view."""
        return self.config.measures("detection") and self.config.adapt_steps > 0

    # Models --------------------------------------------------------------------------------------------------

    def embedder(self, name: str) -> FaceEmbedder:
        """A face recogniser, loaded once."""
        if name not in self._embedders:
            self._embedders[name] = load_embedder(name, self.config.weights_of(name))
        return self._embedders[name]

    @cached_property
    def detector(self) -> TrainableDetector:
        """The person detector as it comes."""
        return load_detector(self.config.detector, self.config.detector_weights or "auto")

    @property
    def face_detectors(self) -> list[str]:
        """Names of those that are tried on every view, the one of the landmarks first."""
        return list(dict.fromkeys([self.config.landmarks, *self.config.face_detectors]))

    # Measurements without attacks ----------------------------------------------------------------------------

    def embed(self, model: str, views: list[str]) -> dict[str, Float[Tensor, "N D"]]:
        """Embeddings of the subjects' photographs under raw and each of `views`."""
        wanted = dict.fromkeys([RAW, *views])
        return {view: self.evaluation.embed(self.embedder(model), self.views[view]) for view in wanted}

    def embed_distractors(self, model: str) -> Float[Tensor, "M D"] | None:
        """Embeddings of the distractors' raw photographs; None where there are none."""
        if not self.distractors:
            return None
        return embed_photos(self.embedder(model), self.distractors, self.evaluation.landmarks, self.views[RAW])

    def detect_faces(self, detector: str, view: str) -> RepeatedIdentification:
        """Share of probes in which the face is detected, as the rank-1 rate."""
        return face_detection_rate(self.evaluation, self._on_view(detector, view))

    def identify_detected(self, model: str, view: str) -> RepeatedIdentification:
        """Identification of the faces that the first face detector finds on the view."""
        raw, on_view = self.embed(model, [])[RAW], self._on_view(self.config.landmarks, view)
        return end_to_end(self.evaluation, raw, self.embedder(model), on_view, self.views[view])

    def detect_distant_faces(self, density: float, detector: str, view: str) -> RepeatedIdentification:
        """Share of probes at a pixel density in which a face detector detects the face."""
        distant = self.distant(density)
        on_view = detect_on_view(distant, load_face_detector(detector), self.views[view])
        return face_detection_rate(distant, on_view)

    def _on_view(self, detector: str, view: str) -> Landmarks:
        return detect_on_view(self.evaluation, load_face_detector(detector), self.views[view])

    def crop(self, rgb: Rgb8, row: int) -> Rgb8:
        """The face of the subjects' photograph `row`, cut from a view of that photograph."""
        return self.evaluation.crop(rgb, row, self.embedder(self.config.face_models[0]).card)

    def detect_people(self, view: str, adapted: bool, shown: int) -> tuple[DetectionScores, list[Detections]]:
        """Scores on all scenes, and the confident detections on the first `shown`."""
        found = self._detections(view, adapted)
        confident = [_above(one, THRESHOLD) for one in found[:shown]]
        return score_detections(self.scenes, found, seed=self.config.seed), confident

    def kept_precision(self, view: str, adapted: bool) -> Ratio | None:
        """AP on a view over that on raw pictures, with its interval; None for raw pictures, and where that is 0.

        An adapted detector is compared with the raw one, adapted or as given, whichever is better.
        """
        if view == RAW:
            return None
        raw = [self._detections(RAW, kind) for kind in ((False, True) if adapted else (False,))]
        best = max(raw, key=lambda found: average_precision(self.scenes, found)[0])
        if not average_precision(self.scenes, best)[0] > 0:
            return None
        return kept_precision(self.scenes, self._detections(view, adapted), best, seed=self.config.seed)

    @cache  # noqa: B019  (lives as long as the process)
    def _detections(self, view: str, adapted: bool) -> list[Detections]:
        return detect_scenes(self._detector_for(view, adapted), self.scenes, self.views[view])

    def people_by_height(self, view: str, adapted: bool) -> PeopleByHeight:
        """Detection of whole people by their height in pixels, on all scenes at several scales."""
        detector = self._detector_for(view, adapted)
        return people_by_height(self.scenes, self.views[view], lambda rgb: detector.detect(to_tensor(rgb))[0])

    def _detector_for(self, view: str, adapted: bool) -> TrainableDetector:
        return self._adapted(view)[0] if adapted else self.detector

    @lru_cache(maxsize=2)  # noqa: B019  (lives as long as the process)
    def _adapted(self, view: str) -> tuple[TrainableDetector, AdaptationOutcome]:
        config, side = self.config, int(median(max(scene.width, scene.height) for scene in self.scenes))
        camera = AtSize(self.views[view], side)
        inputs = AdaptationInputs(self.train_scenes.digest, camera, config.adapt_steps, config.seed)
        return stored_adaptation(self.detector, inputs, lambda: self._adaptation_scenes)

    def adaptation(self, view: str) -> AdaptationOutcome:
        """What the adaptation of the person detector to a view chose."""
        return self._adapted(view)[1]

    def quality(self, view: str) -> dict[str, QualityResult]:
        """Mean image quality of all scenes against raw, by region."""
        return picture_quality([scene.path for scene in self.scenes], self.views[view], self.config.landmarks)

    def faces_left_out(self) -> dict[str, FacesLeftOut]:
        """How much of the faces in the scenes the enhancer removes, by the face detector that finds them."""
        return faces_left_out([scene.path for scene in self.scenes], with_black_fill(self.views[ENHANCED]))

    # What attackers are given --------------------------------------------------------------------------------

    @cached_property
    def train_faces(self) -> FaceSet | None:
        """The people on whom attacks train, none of whom is to be recognised; None where there are none.

        Raises:
            CamproError: for a photograph that is in both sets.
        """
        if self.config.train_faces is None and self.config.faces is not None:
            return None
        folder = self.config.train_faces
        people = embedded_faces("train", cache_root()) if folder is None else read_faces(folder)
        if shared := set(people.contents.values()) & set(self.faces.contents.values()):
            wanted = "other people to train on than to recognise"
            raise CamproError("attack", wanted, f"{len(shared)} shared photographs")
        return people

    @cached_property
    def photos(self) -> tuple[Path, ...]:
        """Photographs of anything that attackers may take with the camera."""
        if self.config.photos:
            return tuple(photo for folder in self.config.photos for photo in list_images(folder))
        if self.config.train_scenes:
            return tuple(scene.path for scene in self.train_scenes.scenes)
        return tuple(scene.path for scene in embedded_scenes("train", cache_root()).scenes)

    @cached_property
    def restorers(self) -> tuple[ImageTransform, ...]:
        """Networks for image restoration that somebody else trained."""
        return tuple(OnnxRestorer(path) for path in self.config.restorers)

    def knowledge(self, attack: Attack, model: str, camera: str, distant: bool = False) -> AttackerKnowledge:
        """What an attack is given of all that there is, by its threat model; the same object for the same question.

        With `distant`, attacks that train networks see their faces at all densities of the audit.
        """
        densities = self.densities if distant and attack.trained else ()
        return self._knowledge(attack.threat_model, model, camera, densities)

    @cached_property
    def attack_cache(self) -> AttackCache:
        """What several runs of attacks share."""
        return AttackCache()

    @lru_cache(maxsize=3)  # noqa: B019  (lives as long as the process)
    def _knowledge(
        self, threat_model: ThreatModel, model: str, camera: str, densities: tuple[float, ...]
    ) -> AttackerKnowledge:
        people = self.train_faces
        everything = AttackerKnowledge(
            load_embedder(model, self.config.weights_of(model)).to(best_device()),
            self.config.seed,
            self.photos,
            people,
            None if people is None else self.landmarks(people),
            (self.cameras[camera],),
            (self.profile if camera == CAPTURED else IspProfile("identity", ()),),
            self.restorers,
            BUDGETS[self.config.budget],
            densities,
            self._teachers(model),
        )
        return restrict(threat_model, everything)

    def _teachers(self, model: str) -> tuple[FaceEmbedder, ...]:
        """The other recognisers of the audit that have gradients."""
        others = [name for name in self.config.face_models if name != model and self.embedder(name).differentiable]
        return tuple(load_embedder(name).to(best_device()) for name in others)

    # Inputs --------------------------------------------------------------------------------------------------

    def inputs(self) -> dict[str, str]:
        """sha256 of every input, by name: a run folder of other inputs is refused."""
        config = self.config
        hashes = {"profile": self.profile.digest, "faces": self.faces.digest, "groups": labels_digest(self.faces)}
        cards = [self.embedder(name).card for name in config.face_models]
        hashes |= {f"face model {card.name}": card.weights_sha256 or "random" for card in cards}
        own = [self.embedder(name).card for name in config.face_models if name.startswith("onnx/")]
        hashes |= {f"card {card.name}": card.preprocessing for card in own}
        hashes |= {f"face detector {name}": load_face_detector(name).digest for name in self.face_detectors}
        if config.measures("detection") or config.measures("quality"):
            hashes["scenes"] = self.scene_set.digest
        if config.measures("detection"):
            hashes[f"person detector {config.detector}"] = self.detector.card.weights_sha256 or "random"
        if self.adapts:
            hashes["train_scenes"] = self.train_scenes.digest
        if ENHANCED in self.views:
            hashes["enhanced"] = self.views[ENHANCED].digest
        if config.attacked:
            hashes |= self._attack_inputs()
        return hashes

    def _attack_inputs(self) -> dict[str, str]:
        hashes = {"photos": json_digest(sorted({file_sha256(photo) for photo in self.photos}))}
        pairs = self.faces.metadata_file(PAIRS_FILE)
        hashes["pairs"] = "none" if pairs is None else file_sha256(pairs)
        if self.train_faces is not None:
            hashes["train_faces"] = self.train_faces.digest
        return hashes  # without restorers: the names of their runs, and so the keys of their cells, have the content


def _above(found: Detections, score: float) -> Detections:
    confident = found.scores >= score
    return Detections(found.boxes[confident], found.scores[confident], found.crowd[confident])

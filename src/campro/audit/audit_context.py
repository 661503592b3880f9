"""The data and models of an audit, each loaded when it is first needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from campro.audit.audit_config import AUTO, CAPTURED, ENHANCED, NONE, RAW, AuditConfig
from campro.audit.experiments import GROUP_VIEWS
from campro.audit.image_quality import faces_left_out, picture_quality
from campro.core.catalogue import cache_root
from campro.core.chain import Chain
from campro.core.hashing import json_digest
from campro.core.run_folder import Json
from campro.core.types import Detections, ImageTransform, Rgb8, Scene
from campro.data import FaceSet, SceneSet, join_scenes, read_faces, read_scenes
from campro.data.embedded import embedded_faces, embedded_scenes
from campro.enhance.runner import SHIPPED, load_enhancer
from campro.evaluation import Draw, Roll, call_roll
from campro.evaluation.face_detection import end_to_end, faces_on_view, found_rate
from campro.evaluation.subject_groups import groups_of, labels_digest
from campro.isp import RAW as RAW_CAMERA
from campro.isp import Camera, Ccm, GammaLut, IspProfile, load_profile
from campro.isp.raw import RawCamera, Sensor
from campro.metrics.detection import THRESHOLD, DetectionScores, score_detections
from campro.metrics.identification import Repeated
from campro.models.faces import FaceEmbedder, Landmarks, embed_photos, find_landmarks, load_embedder, load_face_detector
from campro.models.faces.align import crop_with
from campro.models.persons import TrainableDetector, load_detector
from campro.models.persons.detector_adaptation import adapt, detect_scenes

SYNTHETIC = (
    "The faces are drawn from a linear model: nobody of that name exists. They are blurred, frontal and evenly lit.",
    "The photographs with people are a handful that Python packages ship, and collages of these.",
)


class AuditContext:
    """See `campro.audit.experiments.Bench`."""

    def __init__(self, config: AuditConfig) -> None:
        self.config = config
        self.profile: IspProfile = load_profile(config.profile)
        raw, captured = _cameras(self.profile, config)
        baselines = [_baseline(name, raw) for name in config.baselines if name not in (RAW, CAPTURED, ENHANCED)]
        views = [raw, captured, *_enhanced(config.enhancer, captured), *baselines]
        self.views: dict[str, ImageTransform] = {view.name: view for view in views}
        self._embedders: dict[str, FaceEmbedder] = {}

    # Data ----------------------------------------------------------------------------------------------------

    @cached_property
    def faces(self) -> FaceSet:
        """The people to recognise, as found on disk."""
        told = self.config.faces
        return embedded_faces("test", cache_root()) if told is None else read_faces(told)

    @cached_property
    def scene_set(self) -> SceneSet:
        """The photographs with people to detect."""
        told = self.config.scenes
        return embedded_scenes("test", cache_root()) if told is None else read_scenes(told)

    @cached_property
    def train_scenes(self) -> SceneSet | None:
        """The photographs that the detector may adapt on; those that are audited too are left out."""
        if not self.config.adapt_steps:
            return None
        if self.config.scenes is None:
            return embedded_scenes("train", cache_root())
        joined = join_scenes([read_scenes(path, unlabelled=True) for path in self.config.train_scenes])
        return joined.without(self.scene_set)

    @cached_property
    def landmarks(self) -> Landmarks:
        """Faces in the raw photographs."""
        return find_landmarks(self.faces.photos, load_face_detector(self.config.landmarks), cache_root())

    @cached_property
    def roll(self) -> Roll:
        """People with two photographs or more in which a face was found."""
        return call_roll(self.faces.only(self.landmarks.found))

    def inputs(self) -> dict[str, str]:
        """See `Bench.inputs`."""
        hashes = {"profile": self.profile.digest, "faces": self.faces.digest, "scenes": self.scene_set.digest}
        hashes |= labels_digest(self.faces)
        if self.train_scenes is not None:
            hashes["train_scenes"] = self.train_scenes.digest
        if ENHANCED in self.views:
            hashes["enhanced"] = self.views[ENHANCED].digest
        weights = {name: self.embedder(name).card.weights_sha256 or "random" for name in self.config.face_models}
        return hashes | {"weights": json_digest(weights | {self.config.detector: self.detector.card.weights_sha256})}

    def scenes(self) -> tuple[Scene, ...]:
        """See `Bench.scenes`."""
        return self.scene_set.scenes

    # Models --------------------------------------------------------------------------------------------------

    def embedder(self, name: str) -> FaceEmbedder:
        """A face recogniser, loaded once."""
        if name not in self._embedders:
            self._embedders[name] = load_embedder(name)
        return self._embedders[name]

    @cached_property
    def detector(self) -> TrainableDetector:
        """The person detector as it comes."""
        return load_detector(self.config.detector, self.config.detector_weights or "auto")

    def embed(self, model: str, views: list[str]) -> dict[str, Float[Tensor, "N D"]]:
        """See `Bench.embed`."""
        wanted = dict.fromkeys([RAW, *views])
        embedder = self.embedder(model)
        return {view: embed_photos(embedder, self.roll.photos, self.landmarks, self.views[view]) for view in wanted}

    @property
    def face_detectors(self) -> list[str]:
        """See `Bench.face_detectors`."""
        return list(dict.fromkeys([self.config.landmarks, *self.config.face_detectors]))

    def find_faces(self, detector: str, view: str, draws: list[Draw]) -> Repeated:
        """See `Bench.find_faces`."""
        return found_rate(self.roll, self._on_view(detector, view), draws)

    def recognise_found(self, model: str, view: str, draws: list[Draw]) -> Repeated:
        """See `Bench.recognise_found`."""
        raw_rows, on_view = self.embed(model, [])[RAW], self._on_view(self.config.landmarks, view)
        return end_to_end(self.roll, raw_rows, self.embedder(model), on_view, self.views[view], draws)

    def _on_view(self, detector: str, view: str) -> Landmarks:
        return faces_on_view(self.roll, self.landmarks, load_face_detector(detector), self.views[view])

    def groups(self) -> dict[str, Int[Tensor, "P"]]:
        """See `Bench.groups`."""
        return groups_of(self.roll, self.landmarks)

    def crop(self, rgb: Rgb8, row: int) -> Rgb8:
        """See `Bench.crop`."""
        card = self.embedder(self.config.face_models[0]).card
        return crop_with(rgb, self.landmarks.found[self.roll.photos[row]], self.landmarks.scheme, card)

    def detect(self, view: str, adapted: bool, shown: int) -> tuple[DetectionScores, list[Detections]]:
        """See `Bench.detect`."""
        camera, detector = self.views[view], self.detector
        if adapted:
            assert self.train_scenes is not None
            detector = adapt(detector, self.train_scenes.scenes, camera, self.config.adapt_steps, self.config.seed)
        found = detect_scenes(detector, self.scene_set.scenes, camera)
        sure = [_above(one, THRESHOLD) for one in found[:shown]]
        return score_detections(self.scene_set.scenes, found, seed=self.config.seed), sure

    def quality(self, view: str) -> dict[str, Json]:
        """See `Bench.quality`."""
        return picture_quality([scene.path for scene in self.scene_set.scenes], self.views[view], self.config.landmarks)

    def left_out(self) -> dict[str, Json]:
        """See `Bench.left_out`."""
        return faces_left_out([scene.path for scene in self.scene_set.scenes], self.views[ENHANCED])

    # What the report says ------------------------------------------------------------------------------------

    def facts(self) -> dict[str, Json]:
        """See `Bench.facts`."""
        cards = [self.embedder(name).card for name in self.config.face_models]
        models = [{"name": card.name, "licence": card.licence, "weights": card.weights_sha256} for card in cards]
        used = {"people": int(self.roll.owner.max()) + 1, "used": len(self.roll.photos)}
        lessons = () if self.train_scenes is None else self.train_scenes.problems
        faces = _counts(self.faces.name, self.faces.digest, len(self.faces.photos))
        return {
            "profile_name": self.profile.name,
            "profile_digest": self.profile.digest,
            "white_box": self.profile.provenance.models.get("recogniser", ""),
            "views": [{"name": name, "digest": view.digest} for name, view in self.views.items()],
            "models": list(self.config.face_models),
            "model_cards": models,
            "matchers": list(self.config.matchers),
            "detector": self.config.detector,
            "landmarks": self.config.landmarks,
            "face_detectors": self.face_detectors,
            "group_views": list(GROUP_VIEWS),
            "faces": faces | used | {"undetected": len(self.landmarks.missed)},
            "scenes": _scene_counts(self.scene_set),
            "train_scenes": None if self.train_scenes is None else _scene_counts(self.train_scenes),
            "repeats": self.config.repeats,
            "seed": self.config.seed,
            "adapt_steps": self.config.adapt_steps,
            "synthetic": list(SYNTHETIC) if self.config.faces is None else [],
            "warnings": self._warnings(),
            "problems": [*self.faces.problems, *self.landmarks.problems, *self.scene_set.problems, *lessons],
            "curves": curves(self.profile),
        }

    def _warnings(self) -> list[str]:
        """What a reader must know before believing the figures."""
        trained = self.profile.provenance.data.get("faces")
        if trained == self.faces.digest:
            return ["The profile was trained on these very people: the figures say nothing about others."]
        return []


def _cameras(profile: IspProfile, config: AuditConfig) -> tuple[Camera | RawCamera, Camera | RawCamera]:
    """The camera as it is, and with the profile in it: ideal ones, or simulated from raw light to JPEG."""
    if config.sensor_noise is None:
        return RAW_CAMERA, Camera(profile, CAPTURED)
    sensor = Sensor.with_noise(config.sensor_noise)
    plain = RawCamera(RAW_CAMERA.profile, sensor, config.seed, RAW)
    return plain, RawCamera(profile, sensor, config.seed, CAPTURED)


def _baseline(name: str, raw: Camera | RawCamera) -> ImageTransform:
    """Another way to hide faces, on what the plain camera hands out."""
    return Camera(name) if raw is RAW_CAMERA else Chain(name, raw, Camera(name))


def _enhanced(enhancer: str, captured: Camera | RawCamera) -> list[ImageTransform]:
    """The view behind the enhancer, if there is one for this profile."""
    if enhancer == NONE or (enhancer == AUTO and not SHIPPED.is_file()):
        return []
    network = load_enhancer(None if enhancer == AUTO else Path(enhancer))
    if enhancer == AUTO and network.profile.digest != captured.profile.digest:
        return []
    network.check_profile(captured.profile.digest, captured.profile.name)
    return [Chain(ENHANCED, captured, network)]


def curves(profile: IspProfile) -> dict[str, Json]:
    """The profile's gamma curves (256 samples of each channel, or one) and its colour matrix, where it has them."""
    lut = next((block for block in profile.blocks if isinstance(block, GammaLut)), None)
    ccm = next((block for block in profile.blocks if isinstance(block, Ccm)), None)
    return {
        "gamma": None if lut is None else [list(values) for values in lut.values],
        "ccm": None if ccm is None else [list(row) for row in ccm.matrix],
    }


def _above(found: Detections, score: float) -> Detections:
    sure = found.scores >= score
    return Detections(found.boxes[sure], found.scores[sure], found.crowd[sure])


def _counts(name: str, digest: str, photos: int) -> dict[str, Any]:
    return {"name": name, "digest": digest, "photos": photos}


def _scene_counts(scenes: SceneSet) -> dict[str, Any]:
    return _counts(scenes.name, scenes.digest, len(scenes)) | {"people": scenes.person_count}

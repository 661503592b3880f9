"""Data and models of a run of `campro paper`: what is at hand, each loaded when it is first needed."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from campro.audit.audit_config import NONE, AuditConfig
from campro.audit.audit_context import AuditContext
from campro.audit.metadata import ModelInfo
from campro.core.catalogue import asset, cache_root, data_root, find_asset
from campro.core.errors import CamproError
from campro.core.progress import note
from campro.core.run_folder import RunFolder
from campro.data import FaceSet, SceneSet, read_faces, split_identities
from campro.data.embedded import embedded_faces, embedded_scenes
from campro.data.scenes import read_scenes
from campro.design.designer import HELD_OUT
from campro.isp import IspProfile, load_profile
from campro.models.faces.embedder_card import FaceEmbedder
from campro.models.model_table import MODELS, recognisers_at_hand
from campro.paper.paper_cells import DataUsed, PaperSettings
from campro.paper.paper_options import PaperConfig
from campro.paper.scoped_run import ScopedRun

SYNTHETIC, LFW, CELEBA = "synthetic", "lfw", "celeba"
"""Data sets of faces: the embedded sample, and those of the paper."""
CHEAPEST_FIRST = ("mobilefacenet", "dlib-resnet29", "mobilefacenet-cat", "sface", "edgeface-xs")
"""Recognisers by time per face; others follow."""
VAL_SCENES = "coco/annotations/instances_val2017.json"
TRAIN_SCENES = (
    "coco/annotations/instances_train2017.json",
    *(f"scenes/{name}/annotations.json" for name in ("voc2012", "construction_ppe", "flickr8k")),
)
"""Files below --data."""


class PaperContext:
    """What the items of the paper measure with, and the run folder that they write cells to."""

    def __init__(self, config: PaperConfig) -> None:
        self.config, self.sizes = config, config.sizes
        self.profile: IspProfile = load_profile(config.profile)
        self._embedders: dict[str, FaceEmbedder] = {}
        self.run = RunFolder.open(
            config.out,
            {"scale": config.scale, "profile": self.profile.digest, "seed": config.seed},
            inputs={one.name: one.digest for one in self.data},
        )

    # What is at hand -----------------------------------------------------------------------------------------

    @property
    def root(self) -> Path | None:
        """Folder of the research data; None for the embedded sample.

        Raises:
            CamproError: where a scale needs data and there are none.
        """
        if self.config.scale == "sample":
            return None
        if (folder := self.config.data or data_root()) is None:
            remedy = "set CAMPRO_DATA or give --data, or --scale sample"
            raise CamproError("paper", "a folder with lfw/, celeba/ and coco/", "none", remedy)
        return folder

    @cached_property
    def recognisers(self) -> tuple[str, ...]:
        """Face recognisers on this machine, the cheapest first; of the embedded sample only the one that is shipped."""
        if self.root is None:
            return ("dlib-resnet29",)
        here = recognisers_at_hand()
        ordered = [name for name in CHEAPEST_FIRST if name in here]
        return (*ordered, *(name for name in here if name not in ordered))[: self.sizes.recognisers]

    @property
    def landmarks(self) -> str:
        """Face detector that places the crops."""
        return "yunet" if self.root is not None and MODELS["yunet"].here else "dlib"

    @property
    def face_detectors(self) -> tuple[str, ...]:
        """Face detectors on this machine, that of the landmarks first."""
        here = [name for name in ("yunet", "dlib") if MODELS[name].here]
        return tuple(dict.fromkeys([self.landmarks, *here]))

    @property
    def person_detector(self) -> str:
        """YOLOX-nano where its weights are here, else the one that is shipped."""
        return "yolox-nano" if self.root is not None and MODELS["yolox-nano"].here else "campro-person"

    @cached_property
    def face_sets(self) -> dict[str, FaceSet]:
        """People to recognise, by data set: those with two photographs, as many as the scale has.

        Of CelebA the people with whom the profile was not trained.
        """
        if (root := self.root) is None:
            found = {SYNTHETIC: embedded_faces("test", cache_root())}
        else:
            found = {name: read_faces(root / name) for name in (LFW, CELEBA) if (root / name).is_dir()}
            if CELEBA in found:
                found[CELEBA] = self._unseen(found[CELEBA])
        most = self.sizes.people
        several = {name: faces.with_at_least(2) for name, faces in found.items()}
        return several if most is None else {name: faces.first(most) for name, faces in several.items()}

    def _unseen(self, faces: FaceSet) -> FaceSet:
        """The people whom the design held out, if it was given this set; else all of them."""
        provenance = self.profile.provenance
        if provenance.data.get("faces") != faces.digest:
            return faces
        return split_identities(faces, HELD_OUT, provenance.seed or 0)[1]

    @property
    def main_faces(self) -> str:
        """The data set on which figures are measured that need one only: LFW, which nothing was trained with."""
        return next(iter(self.face_sets), SYNTHETIC)

    @cached_property
    def scenes(self) -> SceneSet:
        """Photographs with people, labelled.

        Raises:
            CamproError: where there are none.
        """
        if (root := self.root) is None:
            found = embedded_scenes("test", cache_root())
        elif not (root / VAL_SCENES).is_file():
            raise CamproError("paper", f"{root / VAL_SCENES}", "no such file", "put COCO 2017 there")
        else:
            found = read_scenes(root / VAL_SCENES)
        return found if self.sizes.scenes is None else found.first(self.sizes.scenes)

    # Audits --------------------------------------------------------------------------------------------------

    def part(self, data: str, profile: str) -> ScopedRun:
        """The part of the run folder with the cells of one audit."""
        return ScopedRun(self.run, {"data": data, "profile": profile})

    def audit(self, data: str, profile: str, **options: Any) -> AuditContext:
        """Data and models for `campro.audit` on one data set and profile, kept for the same question.

        Args:
            data: a key of `face_sets`.
            profile: a name or a JSON file.
            options: fields of `AuditConfig`, such as `baselines`.

        Raises:
            CamproError: for a data set that is not there.
        """
        if data not in self.face_sets:
            raise CamproError("paper", f"faces of {data}", "none", f"put them into {self.root}/{data}/NAME/*.jpg")
        return self._audit(data, profile, tuple(sorted(options.items())))

    @lru_cache(maxsize=4)  # noqa: B019  (lives as long as the process)
    def _audit(self, data: str, profile: str, options: tuple[tuple[str, Any], ...]) -> AuditContext:
        config = AuditConfig(**(self._audit_options(data) | {"profile": profile} | dict(options)))
        return _PaperAudit(config, self.face_sets[data], self, self._embedders)

    def _audit_options(self, data: str) -> dict[str, Any]:
        options: dict[str, Any] = {
            "face_models": self.recognisers,
            "landmarks": self.landmarks,
            "face_detectors": self.face_detectors,
            "detector": self.person_detector,
            "baselines": (),
            "attacks": (NONE,),
            "densities": (),
            "repeats": self.sizes.trials,
            "adapt_steps": self.sizes.adapt_steps,
            "seed": self.config.seed,
            "few_people": True,
            "out": self.config.out,
        }
        if (root := self.root) is not None:
            options |= {"faces": root / data, "scenes": root / VAL_SCENES if (root / VAL_SCENES).is_file() else None}
            options["train_scenes"] = tuple(root / file for file in TRAIN_SCENES if (root / file).is_file())
            if data != CELEBA and (root / CELEBA).is_dir():
                options["train_faces"] = root / CELEBA
        return options

    def embedder(self, name: str) -> FaceEmbedder:
        """A face recogniser, loaded once."""
        return self.audit(self.main_faces, RAW_PROFILE).embedder(name)

    # What the run was made with ------------------------------------------------------------------------------

    @cached_property
    def data(self) -> tuple[DataUsed, ...]:
        """The data sets of the run."""
        faces = [DataUsed(n, f.digest, len(f.identities), len(f.photos)) for n, f in self.face_sets.items()]
        try:
            scenes = self.scenes
        except CamproError as error:
            note(str(error))
            return tuple(faces)
        return (*faces, DataUsed(scenes.name, scenes.digest, scenes.person_count, len(scenes)))

    def settings(self) -> PaperSettings:
        """The description of the run."""
        cards = [self.embedder(name).card for name in self.recognisers]
        return PaperSettings(
            scale=self.config.scale,
            profile=self.profile.name,
            profile_digest=self.profile.digest,
            white_box=self.profile.provenance.models.get("recogniser", ""),
            seed=self.config.seed,
            trials=self.sizes.trials,
            data=self.data,
            recognisers=tuple(ModelInfo(card.name, card.licence, card.weights_sha256) for card in cards),
            landmarks=self.landmarks,
            detector=self.person_detector,
        )

    def missing_models(self) -> tuple[str, ...]:
        """Names of recognisers of the table that are not on this machine, without those that users name."""
        known = [name for name, entry in MODELS.items() if entry.kind == "face recogniser" and entry.assets]
        return tuple(n for n in known if all(find_asset(asset(one)) is None for one in MODELS[n].assets))


RAW_PROFILE = "identity"
"""The built-in profile without effect."""


class _PaperAudit(AuditContext):
    """An audit on the people and scenes that the scale has."""

    def __init__(
        self, config: AuditConfig, faces: FaceSet, paper: PaperContext, embedders: dict[str, FaceEmbedder]
    ) -> None:
        super().__init__(config)
        self._chosen, self._paper, self._embedders = faces, paper, embedders

    @cached_property
    def faces(self) -> FaceSet:
        """See `AuditContext.faces`."""
        return self._chosen

    @cached_property
    def train_faces(self) -> FaceSet | None:
        """See `AuditContext.train_faces`."""
        people, most = super().train_faces, self._paper.sizes.train_people
        return people if people is None or most is None else people.first(most)

    @cached_property
    def scene_set(self) -> SceneSet:
        """See `AuditContext.scene_set`."""
        return self._paper.scenes

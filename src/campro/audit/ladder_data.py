"""The data of one ladder of attackers, and the one way in which all of them are judged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.attacks.attack import Adversary, Known
from campro.audit.experiments import identification_value
from campro.audit.ladder_config import LadderConfig
from campro.core.catalogue import cache_root
from campro.core.chain import Chain
from campro.core.errors import CamproError
from campro.core.images import list_images
from campro.core.runs import Json
from campro.core.types import ImageTransform
from campro.data import FaceSet, read_faces
from campro.data.embedded import embedded_faces, embedded_scenes
from campro.faces import embed_photos, find_landmarks, load_face_detector
from campro.faces.card import FaceEmbedder
from campro.faces.landmarks import Landmarks
from campro.identify import MATCHERS, Draw, Roll, call_roll, draw_repeats, identify
from campro.isp import RAW, Camera, IspProfile, load_profile
from campro.metrics.identification import Identification, summarise, unit_rows
from campro.metrics.open_set import FPIRS, finds_at

CONTROL, CAPTURED = "control", "captured"
"""The attack on a camera without profile, and on the one with it."""
OPEN_SET = "open set"


class LadderData:
    """Loads each part when it is first needed."""

    def __init__(self, config: LadderConfig) -> None:
        self.config = config
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

    def known(self, embedder: FaceEmbedder, side: str) -> Known:
        """All that there is to know; an attack is handed its part."""
        profiles = (self.profile if side == CAPTURED else IspProfile("identity", ()),)
        return Known(
            embedder,
            self.config.seed,
            self.photos,
            self.people,
            self.train_landmarks,
            (self.cameras[side],),
            profiles,
        )

    @cached_property
    def strangers(self) -> tuple[Path, ...]:
        """Photographs of people who are not enrolled: those with a single one."""
        singles = [photos[0] for photos in self.faces.identities.values() if len(photos) == 1]
        return tuple(photo for photo in singles if photo in self.landmarks.found)

    def rows(
        self, embedder: FaceEmbedder, camera: ImageTransform, adversary: Adversary, photos: Sequence[Path]
    ) -> Float[Tensor, "N D"]:
        """Embeddings of photographs as the adversary looks at them."""
        views: list[ImageTransform] = [
            Chain(f"{camera.name}, {one.name}", camera, one) for one in adversary.restores
        ] or [camera]
        own = adversary.embedder or embedder
        return unit_rows(
            torch.stack([embed_photos(own, photos, self.landmarks, view) for view in views]).mean(0), adversary.name
        )

    def judge(self, embedder: FaceEmbedder, side: str, adversary: Adversary) -> dict[str, Json]:
        """Figures of each matcher, and those of an open set where there are strangers.

        Fused pictures are matched to the nearest gallery photograph alone: a classifier would be trained on raw
        versions of some of them.
        """
        rows = self.rows(embedder, self.cameras[side], adversary, self.roll.photos)
        enrolling = embedder if adversary.enrols == "off the shelf" else adversary.embedder or embedder
        raw = embed_photos(enrolling, self.roll.photos, self.landmarks, RAW)
        gallery = rows if adversary.gallery == "captured" else raw
        found: dict[str, Json] = {}
        for matcher in self.config.matchers if adversary.pictures == 1 else ("nearest",):
            trials: list[Identification] = []
            for draw in self.draws:
                probes = rows if adversary.pictures == 1 else fused(rows, self.roll.owner, draw, adversary.pictures)
                result = identify(gallery, {"view": probes}, self.roll.owner, [draw], MATCHERS[matcher]())["view"]
                trials += result.trials
            found[matcher] = identification_value(summarise(trials))
        if self.strangers and adversary.pictures == 1:
            unknown = self.rows(embedder, self.cameras[side], adversary, self.strangers)
            found[OPEN_SET] = open_set(unit_rows(gallery, "gallery"), rows, unknown, self.roll.owner, self.draws)
        return found


def open_set(
    gallery: Float[Tensor, "N D"],
    rows: Float[Tensor, "N D"],
    unknown: Float[Tensor, "Q D"],
    owner: Int[Tensor, "N"],
    draws: Sequence[Draw],
) -> dict[str, Json]:
    """FNIR at fixed FPIRs: searches of each draw's queries and of strangers, by cosine to the gallery photographs."""
    found: dict[str, Json] = {}
    for fpir in FPIRS:
        trials = []
        for draw in draws:
            known = gallery[draw.gallery].T
            hits = finds_at(rows[draw.query] @ known, owner[draw.query], unknown @ known, fpir)
            trials.append(Identification(torch.where(hits, 1, 2)))
        hit = summarise(trials)
        low, high = hit.interval(1)
        found[f"{fpir:g}"] = {"fnir": 1 - hit.mean(1), "low": 1 - high, "high": 1 - low, "strangers": len(unknown)}
    return found


def fused(rows: Float[Tensor, "N D"], owner: Int[Tensor, "N"], draw: Draw, pictures: int) -> Float[Tensor, "N D"]:
    """Each query's row replaced by the mean of several of its person, the query first, the gallery photograph never."""
    out = rows.clone()
    rng = np.random.default_rng(draw.seed)
    for gallery, query in zip(draw.gallery.tolist(), draw.query.tolist()):
        others = [row for row in torch.nonzero(owner == owner[query])[:, 0].tolist() if row not in (gallery, query)]
        chosen = rng.permutation(others)[: pictures - 1].astype(int).tolist()
        out[query] = rows[[query, *chosen]].mean(0)
    return out

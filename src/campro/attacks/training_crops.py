"""Face crops that trained attacks learn from, raw and captured, split into a training and a validation set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.attack_cache import AttackCache
from campro.core.catalogue import cache_root
from campro.core.device import device_of
from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.core.images import to_tensor
from campro.core.types import Images, ImageTransform
from campro.evaluation.pixel_density import distant_faces
from campro.models.faces.embedder_card import FaceEmbedder
from campro.models.faces.embedding import crop_photos

VALIDATION_SHARE = 0.15
"""Share of the training people whose faces are the validation set."""
BATCH = 64
SHIFT = 4
"""Largest random shift of crops, in pixels."""

Crops = UInt8[np.ndarray, "N h w 3"]
"""sRGB crops of the size on the embedder's card."""
Indices = Int[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class CropPairs:
    """Raw and captured face crops of the same photographs."""

    raw: Crops
    captured: Crops
    subjects: Int[Tensor, "N"]
    """Index of the person in each photograph, from 0."""

    def __len__(self) -> int:
        return len(self.subjects)

    def subset(self, indices: Indices) -> CropPairs:
        """The crops with these indices; people keep their numbers."""
        return CropPairs(self.raw[indices], self.captured[indices], self.subjects[torch.from_numpy(indices)])

    def transformed(self, transform: ImageTransform) -> CropPairs:
        """The same raw crops, and captured crops after an image transform."""
        return replace(self, captured=np.stack([transform(crop) for crop in self.captured]))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all crops and subjects."""
        captured = _levels_digest(self.captured)
        return json_digest([self.raw_digest, captured, self.subjects.tolist()])

    @cached_property
    def raw_digest(self) -> str:
        """SHA-256 of the shape and the levels of the raw crops."""
        return _levels_digest(self.raw)


def _levels_digest(crops: Crops) -> str:
    digest = hashlib.sha256(f"{crops.shape}".encode())
    digest.update(np.ascontiguousarray(crops).data)  # hundreds of megabytes, not copied
    return digest.hexdigest()


def training_crops(knowledge: AttackerKnowledge, cache: AttackCache) -> tuple[CropPairs, CropPairs]:
    """Training set, in random order, and validation set of other people.

    Raises:
        CamproError: if the attacker has no faces to train on.
    """
    return cache.get("training crops", (knowledge.digest,), partial(_split_crops, knowledge))


def _split_crops(knowledge: AttackerKnowledge) -> tuple[CropPairs, CropPairs]:
    if knowledge.faces is None or knowledge.landmarks is None:
        raise CamproError("attack", "faces to train on", "none", "give --train-faces")
    faces = knowledge.faces.only(knowledge.landmarks.found)
    rng = np.random.default_rng(knowledge.seed)
    names = np.array(sorted(faces.identities))[rng.permutation(len(faces.identities))].tolist()
    aside = max(1, round(VALIDATION_SHARE * len(names)))
    training_set, validation_set = (
        _crops_of(knowledge, {name: faces.identities[name] for name in part}) for part in (names[aside:], names[:aside])
    )
    return training_set.subset(rng.permutation(len(training_set))), validation_set


def _crops_of(knowledge: AttackerKnowledge, people: dict[str, tuple[Path, ...]]) -> CropPairs:
    assert knowledge.landmarks is not None
    photos = [photo for own in people.values() for photo in own]
    subjects = torch.tensor([subject for subject, own in enumerate(people.values()) for _ in own])
    card, landmarks = knowledge.embedder.card, knowledge.landmarks
    raw, captured = crop_photos(photos, landmarks, card), crop_photos(photos, landmarks, card, knowledge.camera)
    pairs = CropPairs(raw, captured, subjects)
    return _joined([pairs, *(_distant_pairs(knowledge, photos, pairs, density) for density in knowledge.densities)])


def _distant_pairs(knowledge: AttackerKnowledge, photos: list[Path], pairs: CropPairs, density: float) -> CropPairs:
    """The same raw crops beside captured ones of the photographs at a pixel density; without those of a lower one."""
    assert knowledge.landmarks is not None
    distant = distant_faces(photos, knowledge.landmarks, density, cache_root())
    rows = np.array([row for row, photo in enumerate(photos) if photo in distant.copies])
    copies = [distant.copies[photos[row]] for row in rows]
    captured = crop_photos(copies, distant.landmarks, knowledge.embedder.card, knowledge.camera)
    return replace(pairs.subset(rows), captured=captured)


def _joined(parts: list[CropPairs]) -> CropPairs:
    raw, captured = (np.concatenate([getattr(part, side) for part in parts]) for side in ("raw", "captured"))
    return CropPairs(raw, captured, torch.cat([part.subjects for part in parts]))


def subset_sizes(knowledge: AttackerKnowledge) -> tuple[int, ...]:
    """Sizes of the smaller training sets of the scaling curve, in photographs; all below the number there are."""
    if knowledge.faces is None:
        return ()
    return tuple(size for size in knowledge.budget.subset_sizes if size < len(knowledge.faces.photos))


@torch.inference_mode()
def embed_crops(embedder: FaceEmbedder, crops: Crops, mirrored: bool = False) -> Float[Tensor, "N D"]:
    """Embeddings of all crops, or of their mirror images, in evaluation mode; on the device of the embedder."""
    was_training = embedder.training
    embedder.eval()
    batches = [to_tensor(batch, device_of(embedder)) for batch in np.array_split(crops, max(1, len(crops) // BATCH))]
    embeddings = torch.cat([embedder(batch.flip(3) if mirrored else batch) for batch in batches])
    embedder.train(was_training)
    return embeddings.clone()


def teacher_embeddings(
    knowledge: AttackerKnowledge, cache: AttackCache, training_set: CropPairs
) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
    """The off-the-shelf embeddings of all raw crops, and of their mirror images."""
    teacher, raw = knowledge.embedder, training_set.raw

    def compute() -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
        return embed_crops(teacher, raw), embed_crops(teacher, raw, mirrored=True)

    return cache.get("teacher embeddings", (knowledge.digest, training_set.raw_digest), compute)


def augmented(crops: Crops, rng: np.random.Generator, device: torch.device) -> Images:
    """Crops as a batch, all shifted by the same random number of pixels, up to `SHIFT` in each direction."""
    down, right = (int(step) for step in rng.integers(-SHIFT, SHIFT + 1, 2))
    return torch.roll(to_tensor(crops, device), (down, right), (2, 3))

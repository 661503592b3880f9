"""Random training batches; all randomness comes from the generator that is passed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from campro.core.images import to_tensor
from campro.core.types import Detections, Images, Scene
from campro.models.persons.scene_batches import scene_batch


@dataclass(frozen=True)
class FaceCrops:
    """Aligned crops of the training faces in memory."""

    pixels: UInt8[np.ndarray, "N h w 3"]
    """8-bit sRGB."""
    person: Int[np.ndarray, "N"]
    """Index of the person in each crop, 0 to people - 1."""
    people: int

    def __len__(self) -> int:
        return len(self.pixels)


def face_batch(faces: FaceCrops, size: int, rng: np.random.Generator) -> tuple[Images, Int[Tensor, "B"]]:
    """Random crops (size, 3, h, w) in [0, 1], half of them mirrored, and the index of the person in each."""
    chosen = rng.choice(len(faces), size, replace=len(faces) < size)
    crops = to_tensor(faces.pixels[chosen])
    mirrored = torch.from_numpy(rng.random(size) < 0.5)[:, None, None, None]
    return torch.where(mirrored, crops.flip(3), crops), torch.from_numpy(faces.person[chosen]).long()


def scenes_batch(
    scenes: Sequence[Scene], size: tuple[int, int], count: int, rng: np.random.Generator
) -> tuple[Images, list[Detections]]:
    """Random augmented scenes as (count, 3, H, W) in [0, 1], and the ground truth of each in their pixels."""
    images, truth = scene_batch(scenes, size, count, rng)
    return to_tensor(images), truth

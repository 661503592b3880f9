"""A small recogniser, and photographs, for attackers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.attack_cache import AttackCache
from campro.attacks.budget import QUICK, STANDARD, Budget
from campro.attacks.training_crops import CropPairs
from campro.core.images import write_image
from campro.data import FaceSet
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder
from campro.models.faces.landmarks import Landmarks

CARD = EmbedderCard("tiny", (16, 16), 8, 0.5, 0.5, "arcface-112")


class Tiny(FaceEmbedder):
    """An embedder of 4 x 4 patches."""

    def __init__(self) -> None:
        super().__init__(CARD)
        self.body = nn.Sequential(nn.Conv2d(3, 16, 4, 4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 8))

    def features(self, prepared: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.body(prepared)
        return found


@pytest.fixture
def tiny_embedder() -> Callable[[], FaceEmbedder]:
    """Makes embedders with random weights."""
    return Tiny


@pytest.fixture
def standard() -> Budget:
    """The standard budget without compilation."""
    return replace(STANDARD, compiled=False)


@pytest.fixture
def quick() -> Budget:
    """The quick budget without compilation."""
    return replace(QUICK, compiled=False)


@pytest.fixture
def cache() -> AttackCache:
    return AttackCache()


@pytest.fixture
def rgb() -> np.ndarray:
    """A picture of random levels."""
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.fixture
def photo(tmp_path: Path, rgb: np.ndarray) -> Path:
    """The same picture as a file."""
    write_image(tmp_path / "photo.png", rgb)
    return tmp_path / "photo.png"


@pytest.fixture
def one_person(photo: Path) -> FaceSet:
    """A face set of one photograph."""
    return FaceSet("one", photo.parent, {"ann": (photo,)})


@pytest.fixture
def trainable(one_person: FaceSet, quick: Budget) -> AttackerKnowledge:
    """Knowledge with which every trained attack has runs."""
    return AttackerKnowledge(Tiny(), 0, faces=one_person, landmarks=Landmarks("five", "none", {}), budget=quick)


@pytest.fixture
def two_crops() -> CropPairs:
    black = np.zeros((2, 16, 16, 3), np.uint8)
    return CropPairs(black, black, torch.zeros(2).long())

"""Budgets: how long trained attacks may run, and with which settings. All trained attacks share one budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BudgetName = Literal["quick", "standard", "full"]
Head = Literal["softmax", "ArcFace"]
RestorationLoss = Literal["L1", "L1 and identity"]


@dataclass(frozen=True)
class TrainingSettings:
    """Start of one training."""

    learning_rate: float
    seed: int = 0
    """Added to the seed of the attacker."""

    def __str__(self) -> str:
        return f"learning rate {self.learning_rate:g}" + (f", seed {self.seed}" if self.seed else "")


@dataclass(frozen=True)
class Budget:
    """Limits and settings of all trainings."""

    epochs: int
    """Most epochs; a training stops early when its validation score no longer rises."""
    subset_sizes: tuple[int, ...]
    """Faces in the training sets of the scaling curve, beside the whole set; none: no scaling curves, those of colour
    maps neither.
    """
    settings: tuple[TrainingSettings, ...]
    """Trainings on the whole set, one with each settings; smaller sets are trained with the first."""
    heads: tuple[Head, ...]
    """Classification heads of retrained recognisers."""
    restoration_losses: tuple[RestorationLoss, ...]
    frame_counts: tuple[int, ...]
    """Frames of a video."""
    compiled: bool = True
    """Whether networks are compiled and trained in bfloat16 on a CPU: a minute each, then more than twice the speed."""
    annealed: bool = False
    """Whether the learning rate of restoration networks falls to zero until the last epoch. With a dozen epochs, this
    costs them steps that they need (docs/decisions/2026-11-27-restoration-training.md).
    """


FULL_SETTINGS = (
    TrainingSettings(1e-3),
    TrainingSettings(3e-3),
    TrainingSettings(3e-4),
    TrainingSettings(1e-3, seed=1),
    TrainingSettings(1e-3, seed=2),
)
QUICK = Budget(4, (), (TrainingSettings(1e-3),), ("ArcFace",), ("L1 and identity",), (4,))
STANDARD = Budget(
    12, (400, 1600), (TrainingSettings(1e-3),), ("softmax", "ArcFace"), ("L1 and identity",), (4,)
)  # fmt: skip
FULL = Budget(
    60,
    (400, 800, 1600, 3200),
    FULL_SETTINGS,
    ("softmax", "ArcFace"),
    ("L1", "L1 and identity"),
    (4, 16),
    annealed=True,
)
BUDGETS: dict[BudgetName, Budget] = {"quick": QUICK, "standard": STANDARD, "full": FULL}
"""`standard` takes an evening on two processor cores; `full` shows whether `standard` was enough."""

"""How long attackers may try: what a trained one costs is its own choice, within a budget that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BudgetName = Literal["quick", "standard", "full"]
Head = Literal["softmax", "ArcFace"]
Restoration = Literal["L1", "L1 and identity"]


@dataclass(frozen=True)
class Try:
    """What one training is begun with."""

    rate: float
    """Learning rate."""
    seed: int = 0
    """Added to the attacker's own."""

    def __str__(self) -> str:
        return f"rate {self.rate:g}" + (f", seed {self.seed}" if self.seed else "")


@dataclass(frozen=True)
class Budget:
    """Of every training."""

    epochs: int
    """At most; a training stops when its validation score no longer rises."""
    sizes: tuple[int, ...]
    """Faces of the scaling curve, beside all there are; none: no curves, those of colour maps neither."""
    tries: tuple[Try, ...]
    """With all photographs; smaller sets are learned by the first."""
    heads: tuple[Head, ...]
    """Of retrained recognisers."""
    restorations: tuple[Restoration, ...]
    """What networks that restore learn by."""
    frames: tuple[int, ...]
    """Frames of a video."""
    hurries: bool = True
    """Whether networks are compiled and learn in bfloat16: a minute each, then more than twice the speed."""
    cools: bool = False
    """Whether the rate of networks that restore falls to nothing until the last epoch: in a dozen epochs it costs them
    steps that they need (docs/decisions/2026-11-27-restoration-training.md).
    """


FULL_TRIES = (Try(1e-3), Try(3e-3), Try(3e-4), Try(1e-3, seed=1), Try(1e-3, seed=2))
STANDARD = Budget(12, (400, 1600), (Try(1e-3),), ("softmax", "ArcFace"), ("L1 and identity",), (4,))
BUDGETS: dict[BudgetName, Budget] = {
    "quick": Budget(4, (), (Try(1e-3),), ("ArcFace",), ("L1 and identity",), (4,)),
    "standard": STANDARD,
    "full": Budget(
        60, (400, 800, 1600, 3200), FULL_TRIES, ("softmax", "ArcFace"), ("L1", "L1 and identity"), (4, 16), cools=True
    ),
}
"""`standard` is for two processor cores and an evening; `full` asks whether it was enough."""

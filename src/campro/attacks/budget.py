"""How long attackers may try: what a trained one costs is its own choice, within a budget that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BudgetName = Literal["quick", "standard", "full"]


@dataclass(frozen=True)
class Budget:
    """Of every training."""

    epochs: int
    """At most; a training stops when its validation score no longer rises."""
    sizes: tuple[int, ...]
    """Photographs of the scaling curve, beside all there are."""
    rates: tuple[float, ...]
    """Learning rates that are tried with all photographs; smaller sets are learned at the first."""
    heads: tuple[Literal["softmax", "ArcFace"], ...]
    """Of retrained recognisers."""
    frames: tuple[int, ...]
    """Frames of a video."""
    compiles: bool = False
    """Whether networks are compiled before they are trained: a minute each, then nearly twice the speed."""


STANDARD = Budget(12, (400, 800, 1600), (1e-3,), ("softmax", "ArcFace"), (4,), compiles=True)
BUDGETS: dict[BudgetName, Budget] = {
    "quick": Budget(3, (400,), (1e-3,), ("ArcFace",), (4,)),
    "standard": STANDARD,
    "full": Budget(60, (400, 800, 1600, 3200), (1e-3, 3e-3, 3e-4), ("softmax", "ArcFace"), (4, 16), compiles=True),
}
"""`standard` is for two processor cores and an evening; `full` asks whether it was enough."""

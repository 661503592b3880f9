"""Several captured pictures of one person at a time, as a camera that somebody passes takes them."""

from __future__ import annotations

from functools import partial

from campro.attacks.attack import Adversary, Attack, Known, Runs
from campro.attacks.colour_maps import MAPS, mapped

PICTURES = (2, 4, 8)


def fusion_runs(known: Known) -> Runs:
    """Pictures as they are, and people known by several raw photographs."""
    taken: Runs = {f"{count} pictures": partial(Adversary, pictures=count) for count in PICTURES}
    return {**taken, **{f"known by {count}": partial(Adversary, enrolled=count) for count in PICTURES}}


def fused_map_runs(known: Known) -> Runs:
    """Behind the colour maps that are learned from most pairs."""
    return {
        f"{count} pictures, {kind}": partial(mapped, known, kind, pictures=count) for kind in MAPS for count in PICTURES
    }


def video_runs(known: Known) -> Runs:
    """Frames of a moment, behind the same colour maps."""
    counts = known.budget.frames
    return {f"{count} frames, {kind}": partial(mapped, known, kind, frames=count) for kind in MAPS for count in counts}


FUSION = Attack("several pictures", "black", "several pictures of the same person, captured or raw", fusion_runs)
FUSED_MAPS = Attack(
    "several pictures, colour maps", "grey", "the same, and pairs of photographs from a bought camera", fused_map_runs
)
VIDEO = Attack("video, colour maps", "grey", "frames of a video, and pairs from a bought camera", video_runs)

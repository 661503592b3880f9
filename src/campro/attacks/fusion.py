"""Several captured pictures of one person at a time, as a camera that somebody passes takes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from campro.attacks.analytic_inversion import INVERSE, inverse_runs
from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.colour_maps import MAPS, mapped
from campro.attacks.distillation import DISTILLATION, map_copy_runs, whole_courses
from campro.attacks.restoration import RESTORATION, whole_restorations

PICTURES = (2, 4, 8)


def fusion_runs(known: AttackerKnowledge) -> Runs:
    """Pictures as they are, and people known by several raw photographs."""
    taken: Runs = {f"{count} pictures": partial(Adversary, pictures=count) for count in PICTURES}
    return {**taken, **{f"known by {count}": partial(Adversary, enrolled=count) for count in PICTURES}}


def fused_map_runs(known: AttackerKnowledge) -> Runs:
    """Behind the colour maps that are learned from most pairs."""
    return of_several({kind: partial(mapped, known, kind) for kind in MAPS})


def fused_inverse_runs(known: AttackerKnowledge) -> Runs:
    """Behind the inverse of the profile."""
    return of_several(inverse_runs(known))


def fused_copy_runs(known: AttackerKnowledge) -> Runs:
    """By the copies that learned from all photographs, as they are and behind a 3D LUT."""
    return of_several({**whole_courses(known), **map_copy_runs(known)})


def fused_restoration_runs(known: AttackerKnowledge) -> Runs:
    """By the networks that learned from all photographs to restore."""
    return of_several(whole_restorations(known))


def of_several(runs: Runs) -> Runs:
    """The same adversaries, each with several pictures of a person."""
    return {f"{count} pictures, {run}": partial(_of, make, count) for run, make in runs.items() for count in PICTURES}


def _of(make: Callable[[], Adversary], pictures: int) -> Adversary:
    return replace(make(), pictures=pictures)


def video_runs(known: AttackerKnowledge) -> Runs:
    """Frames of a moment, behind the most flexible map."""
    return {f"{count} frames, 3D LUT": partial(mapped, known, "3D LUT", frames=count) for count in known.budget.frames}


FUSION = Attack("several pictures", "black-box", "several pictures of the same person, captured or raw", fusion_runs)
FUSED_MAPS = Attack(
    "several pictures, colour maps",
    "gray-box",
    "the same, and pairs of photographs from a bought camera",
    fused_map_runs,
)
SEVERAL = "several captured pictures of the same person, and"
FUSED_INVERSE = Attack("several pictures, inverse", "white-box", f"{SEVERAL} {INVERSE.given}", fused_inverse_runs)
FUSED_COPY = Attack(
    "several pictures, distillation", "gray-box", f"{SEVERAL} {DISTILLATION.given}", fused_copy_runs, trained=True
)
FUSED_RESTORATION = Attack(
    "several pictures, restoration", "gray-box", f"{SEVERAL} {RESTORATION.given}", fused_restoration_runs, trained=True
)
VIDEO = Attack("video, colour maps", "gray-box", "frames of a video, and pairs from a bought camera", video_runs)

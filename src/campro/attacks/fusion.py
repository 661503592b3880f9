"""Fusion of several images of one person: several probe images, several gallery images, or video frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from campro.attacks.analytic_inversion import ANALYTIC_INVERSION, inversion_runs
from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.attack_cache import AttackCache
from campro.attacks.colour_maps import MAPS, map_adversary
from campro.attacks.distillation import DISTILLATION, map_copy_runs, whole_set_runs
from campro.attacks.restoration import RESTORATION, whole_set_restorations

IMAGE_COUNTS = (2, 4, 8)


def fusion_runs(_knowledge: AttackerKnowledge, _cache: AttackCache) -> Runs:
    """Several captured probe images, or several raw gallery images, without other preparation."""
    probes: Runs = {f"{count} probe images": partial(Adversary, probe_images=count) for count in IMAGE_COUNTS}
    return {**probes, **{f"{count} gallery images": partial(Adversary, gallery_images=count) for count in IMAGE_COUNTS}}


def fused_map_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Several probe images after each colour map from most image pairs."""
    return with_several_probes({kind: partial(map_adversary, knowledge, cache, kind) for kind in MAPS})


def fused_inversion_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Several probe images after analytic inversion."""
    return with_several_probes(inversion_runs(knowledge, cache))


def fused_copy_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Several probe images, and copies distilled from the whole training set, plain and behind a 3D LUT."""
    return with_several_probes({**whole_set_runs(knowledge, cache), **map_copy_runs(knowledge, cache)})


def fused_restoration_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Several probe images after restoration networks from the whole training set."""
    return with_several_probes(whole_set_restorations(knowledge, cache))


def with_several_probes(runs: Runs) -> Runs:
    """The same adversaries, each with 2, 4 and 8 probe images."""
    return {
        f"{count} probe images, {run}": partial(_with_probe_images, make, count)
        for run, make in runs.items()
        for count in IMAGE_COUNTS
    }


def _with_probe_images(make: Callable[[], Adversary], count: int) -> Adversary:
    return replace(make(), probe_images=count)


def video_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Several video frames after the 3D LUT, the most flexible colour map."""
    return {
        f"{count} frames, 3D LUT": partial(map_adversary, knowledge, cache, "3D LUT", frames=count)
        for count in knowledge.budget.frame_counts
    }


SEVERAL = "several captured images of each person"
FUSION = Attack("several probe images", "black-box", f"{SEVERAL}, or several raw ones", fusion_runs)
FUSED_MAPS = Attack(
    "several probe images, colour maps", "gray-box", f"{SEVERAL}, and image pairs from a bought camera", fused_map_runs
)
FUSED_INVERSION = Attack(
    "several probe images, analytic inversion",
    "white-box",
    f"{SEVERAL}, and {ANALYTIC_INVERSION.given}",
    fused_inversion_runs,
)
FUSED_COPY = Attack(
    "several probe images, distillation",
    "gray-box",
    f"{SEVERAL}, and {DISTILLATION.given}",
    fused_copy_runs,
    trained=True,
)
FUSED_RESTORATION = Attack(
    "several probe images, restoration",
    "gray-box",
    f"{SEVERAL}, and {RESTORATION.given}",
    fused_restoration_runs,
    trained=True,
)
VIDEO = Attack("video, colour maps", "gray-box", "video frames, and image pairs from a bought camera", video_runs)

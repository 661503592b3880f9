"""Re-enrolment: the gallery consists of captured photographs, too (CamPro, NDSS 2024, VII-A)."""

from __future__ import annotations

from functools import partial

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.attack_cache import AttackCache

GALLERY_IMAGES = (1, 2, 5, 20)
"""Captured gallery images of each person."""


def enrolment_runs(_knowledge: AttackerKnowledge, _cache: AttackCache) -> Runs:
    """Gallery templates of 1 to 20 captured images."""
    return {
        f"{count} captured gallery image{'s' * (count > 1)}": partial(
            Adversary, gallery="captured", gallery_images=count
        )
        for count in GALLERY_IMAGES
    }


RE_ENROLMENT = Attack("re-enrolment", "gray-box", "captured photographs of the people to recognise", enrolment_runs)

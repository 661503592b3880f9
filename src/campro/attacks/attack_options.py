"""Names of attacks in options: those of cells and reports with hyphens, so that no shell needs quotes."""

from __future__ import annotations

TRANSFER = "transferred restoration"
"""Name of the attack in cells."""
ATTACK_GROUPS = ("cheap", "full", "none")
ATTACK_OPTIONS = (
    "no-attack",
    "filters",
    "pretrained-restoration",
    "re-enrolment",
    "colour-maps",
    "several-probe-images",
    "several-probe-images-colour-maps",
    "video-colour-maps",
    "analytic-inversion",
    "several-probe-images-analytic-inversion",
    "domain-adaptation",
    "distillation",
    "colour-maps-distillation",
    "several-probe-images-distillation",
    "analytic-inversion-distillation",
    "restoration",
    "several-probe-images-restoration",
    "transferred-restoration",
    "retraining",
)
"""Values of `--attacks` in the order of the table of attacks, which takes seconds to import; a test compares them."""


def option_name(name: str) -> str:
    """The value of `--attacks` for an attack.

    >>> option_name("video, colour maps")
    'video-colour-maps'
    """
    return name.replace(", ", "-").replace(" ", "-")

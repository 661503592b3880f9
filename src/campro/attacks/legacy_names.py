"""Names of attacks and their runs in results of earlier versions, and what they are called now."""

from __future__ import annotations

import re

PARTS = {
    "as it is": "no attack",
    "restorers": "pretrained restoration",
    "several pictures": "several probe images",
    "inverse": "analytic inversion",
    "adaptation": "domain adaptation",
}
"""Old parts of attack names; names of combined attacks have two parts, with a comma between them."""

FILTERS = {
    "grey": "greyscale",
    "invert, grey": "invert, greyscale",
    "equalise": "histogram equalisation",
    "principal grey": "principal component",
    "principal grey, inverted": "principal component, inverted",
} | {
    f"{channel}{inverted}": f"{channel} channel{inverted}"
    for channel in ("red", "green", "blue")
    for inverted in ("", ", inverted")
}

PATTERNS: dict[str, tuple[tuple[str, str], ...]] = {
    "no attack": ((r"as it is", "no attack"),),
    "filters": tuple((re.escape(old), new) for old, new in FILTERS.items()),
    "re-enrolment": (
        (r"1 of each", "1 captured gallery image"),
        (r"(\d+) of each", r"\1 captured gallery images"),
    ),
    "colour maps": (
        (r"monotone(, .*|)", r"monotone curves\1"),
        (r"(.*, 1) pairs", r"\1 image pair"),
        (r"(.*, \d+) pairs", r"\1 image pairs"),
    ),
    "several probe images": (
        (r"(\d+) pictures", r"\1 probe images"),
        (r"known by (\d+)", r"\1 gallery images"),
    ),
    "analytic inversion": ((r"inverse", "per-pixel inverse"), (r"inverse by neighbours", "neighbourhood inverse")),
    "domain adaptation": (
        (r"rows", "CORAL"),
        (r"layers", "AdaBN"),
        (r"layers and rows", "AdaBN and CORAL"),
    ),
    "distillation": ((r"behind a (3D LUT, .*)", r"\1"), (r"inverse, (.*)", r"per-pixel inverse, \1")),
}
"""Full matches of old run names by the attack, or the last part of its name, and their replacements, in order."""

TRAINED = ("distillation", "restoration", "retraining")
"""Last parts of the names of attacks whose run names have a learning rate."""


def current_name(attack: str, run: str) -> tuple[str, str]:
    """The current names of an attack and one of its runs; current names stay as they are.

    >>> current_name("several pictures, inverse", "8 pictures, inverse")
    ('several probe images, analytic inversion', '8 probe images, per-pixel inverse')
    """
    parts = [PARTS.get(part, part) for part in attack.split(", ")]
    prefix = ""
    if len(parts) == 2 and parts[0] == "several probe images" and ", " in run:
        count, _, run = run.partition(", ")
        prefix = _replaced(count, parts[0]) + ", "
    run = _replaced(run, parts[-1])
    if parts[-1] in TRAINED:
        run = re.sub(r"(?<!learning )\brate (?=\d)", "learning rate ", run)
    return ", ".join(parts), prefix + run


def _replaced(run: str, attack: str) -> str:
    for pattern, new in PATTERNS.get(attack, ()):
        if found := re.fullmatch(pattern, run):
            run = found.expand(new)
    return run

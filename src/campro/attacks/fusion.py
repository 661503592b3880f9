"""Several captured pictures of one person at a time, as a camera that somebody passes takes them."""

from __future__ import annotations

from collections.abc import Sequence

from campro.attacks.attack import Adversary, Attack, Known
from campro.attacks.colour_maps import fit_maps
from campro.core.errors import CamproError

PICTURES = (2, 4, 8)


def fit_fusion(known: Known) -> Sequence[Adversary]:
    """Pictures as they are."""
    return [Adversary(f"{count} pictures", pictures=count) for count in PICTURES]


def fit_fused_maps(known: Known) -> Sequence[Adversary]:
    """Behind the colour maps that were learned from most pairs."""
    maps = fit_maps(known)
    if not maps:
        raise CamproError("attack", "photographs to take pairs of", "none", "give --photos")
    most = [one for one in maps if one.name.split(", ")[1] == maps[-1].name.split(", ")[1]]
    return [
        Adversary(f"{count} pictures, {one.name}", one.restores, pictures=count) for count in PICTURES for one in most
    ]


FUSION = Attack("several pictures", "black", "several captured pictures of the same person", fit_fusion)
FUSED_MAPS = Attack(
    "several pictures, colour maps", "grey", "the same, and pairs of photographs from a bought camera", fit_fused_maps
)

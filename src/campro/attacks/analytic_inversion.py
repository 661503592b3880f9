"""Analytic inversion of a known profile, by colour alone or with the neighbourhood of each pixel; no training."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Float

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.attack_cache import AttackCache
from campro.core.hashing import json_digest
from campro.core.types import Rgb8
from campro.inversion.cell_grid import CERTAIN_MEANS, cell_features, downscaled
from campro.inversion.inverse import Inverse, prior_from_photos
from campro.inversion.preimage_selection import SELECTION_SETTINGS, PreimageSelector
from campro.inversion.preimages import Preimages
from campro.isp import IspProfile
from campro.isp.pointwise import pointwise_part

PHOTOS = 300
"""Photographs from which the prior over raw colours is counted."""


class NeighbourhoodInverse:
    """Selects for each pixel, among the raw colours that the profile maps to the captured one, the one that fits the
    neighbourhood best: the inversion of the fast enhancer, without its network. An `ImageTransform`.
    """

    def __init__(self, inverse: Inverse, preimages: Preimages) -> None:
        self.name, self.digest = "neighbourhood inverse", json_digest([inverse.digest, SELECTION_SETTINGS])
        self._inverse, self._select = inverse, PreimageSelector(preimages)

    def __call__(self, rgb: Rgb8) -> Rgb8:
        recoloured, ambiguity = self._inverse.with_ambiguity(rgb)
        means = cell_features(downscaled(rgb), downscaled(recoloured), downscaled(ambiguity))[0, CERTAIN_MEANS]
        cell_map = np.concatenate([np.ones_like(means[:1]), means])
        return self._select(rgb, recoloured, ambiguity, cell_map, out=recoloured)


def inversion_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Per pixel and with neighbourhoods; none for a profile of spatial blocks alone."""
    if not is_invertible(knowledge):
        return {}
    return {
        "per-pixel inverse": lambda: Adversary((pixel_inverse(knowledge, cache),)),
        "neighbourhood inverse": lambda: Adversary((neighbourhood_inverse(knowledge, cache),)),
    }


def is_invertible(knowledge: AttackerKnowledge) -> bool:
    """Whether the profile has a part that maps each pixel by its colour alone (`pointwise_part`)."""
    return pointwise_part(knowledge.profile) is not None


def _invertible(knowledge: AttackerKnowledge) -> IspProfile:
    """The part of the profile that is inverted; the whole profile if it has no spatial blocks."""
    part = pointwise_part(knowledge.profile)
    assert part is not None
    return part


def pixel_inverse(knowledge: AttackerKnowledge, cache: AttackCache) -> Inverse:
    """The posterior mean of the raw colour, with a prior from the attacker's photographs."""
    key = (knowledge.digest,)
    return cache.get("per-pixel inverse", key, lambda: Inverse(_invertible(knowledge), colour_prior(knowledge, cache)))


def neighbourhood_inverse(knowledge: AttackerKnowledge, cache: AttackCache) -> NeighbourhoodInverse:
    """See `NeighbourhoodInverse`; with the same prior as `pixel_inverse`."""

    def compute() -> NeighbourhoodInverse:
        preimages = Preimages.of(_invertible(knowledge), colour_prior(knowledge, cache))
        return NeighbourhoodInverse(pixel_inverse(knowledge, cache), preimages)

    return cache.get("neighbourhood inverse", (knowledge.digest,), compute)


def colour_prior(knowledge: AttackerKnowledge, cache: AttackCache) -> Float[np.ndarray, " bins"]:
    """Prior of raw colours from up to `PHOTOS` of the attacker's photographs; see `prior_from_photos`."""
    return cache.get("colour prior", (knowledge.digest,), partial(_count_colours, knowledge))


def _count_colours(knowledge: AttackerKnowledge) -> Float[np.ndarray, " bins"]:
    order = np.random.default_rng(knowledge.seed).permutation(len(knowledge.photos))[:PHOTOS]
    return prior_from_photos(knowledge.photos[index] for index in order)


ANALYTIC_INVERSION = Attack("analytic inversion", "white-box", "the profile", inversion_runs)

"""The best that colours can do for one who knows the profile: its exact inverse, and what neighbours add to it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.core.hashing import json_digest
from campro.core.types import Rgb8
from campro.inversion.cell_grid import CERTAIN_MEANS, cell_features, downscaled
from campro.inversion.inverse import Inverse, prior_of
from campro.inversion.preimage_selection import SETTLED, Settler
from campro.inversion.preimages import Preimages
from campro.isp.lookup import is_pointwise

PHOTOS = 300


class InverseByNeighbours:
    """Of every pixel the one of its raw colours that suits those around it: the enhancer's, without a network."""

    def __init__(self, inverse: Inverse, preimages: Preimages) -> None:
        self.name, self.digest = "inverse by neighbours", json_digest([inverse.digest, SETTLED])
        self._inverse, self._settle = inverse, Settler(preimages)

    def __call__(self, rgb: Rgb8) -> Rgb8:
        coloured, spread = self._inverse.with_spread(rgb)
        means = cell_features(downscaled(rgb), downscaled(coloured), downscaled(spread))[0, CERTAIN_MEANS]
        return self._settle(rgb, coloured, spread, np.concatenate([np.ones_like(means[:1]), means]), out=coloured)


def inverse_runs(known: AttackerKnowledge) -> Runs:
    """Each pixel alone, and all together; a profile that blurs has none."""
    if not has_inverse(known):
        return {}
    return {
        "inverse": lambda: Adversary((inverse_of(known),)),
        "inverse by neighbours": lambda: Adversary((_by_neighbours(known),)),
    }


def has_inverse(known: AttackerKnowledge) -> bool:
    """Whether the profile is a function of colours alone."""
    return is_pointwise(known.profile.blocks)


@lru_cache(maxsize=1)
def inverse_of(known: AttackerKnowledge) -> Inverse:
    """With a prior from photographs of anything."""
    return Inverse(known.profile, _prior_of(known))


@lru_cache(maxsize=1)
def _by_neighbours(known: AttackerKnowledge) -> InverseByNeighbours:
    return InverseByNeighbours(inverse_of(known), Preimages.of(known.profile, _prior_of(known)))


@lru_cache(maxsize=1)
def _prior_of(known: AttackerKnowledge) -> Float[np.ndarray, " cells"]:
    order = np.random.default_rng(known.seed).permutation(len(known.photos))[:PHOTOS]
    return prior_of(known.photos[row] for row in order)


INVERSE = Attack("inverse", "white-box", "the profile", inverse_runs)

"""The best that colours alone can do for one who knows the profile: its exact inverse."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from campro.attacks.attack import Adversary, Attack, Known, Runs
from campro.isp.fast import is_pointwise
from campro.isp.inverse import Inverse, prior_of

PHOTOS = 300


def inverse_runs(known: Known) -> Runs:
    """The table; a profile that blurs has none."""
    return {"inverse": lambda: Adversary((inverse_of(known),))} if has_inverse(known) else {}


def has_inverse(known: Known) -> bool:
    """Whether the profile is a function of colours alone."""
    return is_pointwise(known.profile.blocks)


@lru_cache(maxsize=1)
def inverse_of(known: Known) -> Inverse:
    """With a prior from photographs of anything."""
    order = np.random.default_rng(known.seed).permutation(len(known.photos))[:PHOTOS]
    return Inverse(known.profile, prior_of(known.photos[row] for row in order))


INVERSE = Attack("inverse", "white", "the profile", inverse_runs)

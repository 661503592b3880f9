"""How much information about the raw colour of a pixel its captured colour leaves, in bits."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

import numpy as np
from jaxtyping import Float, UInt32


@dataclass(frozen=True)
class ColourEntropy:
    """Entropies of one pixel, in bits."""

    raw: float
    captured: float

    @property
    def unknown(self) -> float:
        """H(raw | captured): what the captured colour leaves unknown about the raw one.

        The captured colour is a function of the raw one, so H(raw | captured) = H(raw) - H(captured). 0: the profile
        can be undone.
        """
        return max(self.raw - self.captured, 0.0)


def colour_entropy(captured: UInt32[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> ColourEntropy:
    """Exact entropies for n raw colours, the i-th of which becomes `captured[i]` and has the weight `weights[i]`.

    Weights are not negative and have a positive sum; they need not be normalised.

    >>> colour_entropy(np.array([0, 0, 1, 2], np.uint32), np.ones(4))
    ColourEntropy(raw=2.0, captured=1.5)
    """
    return ColourEntropy(entropy(weights), entropy(np.bincount(captured, weights)))


def entropy(weights: Float[np.ndarray, " n"]) -> float:
    """Shannon entropy in bits of a distribution that is proportional to `weights`.

    >>> entropy(np.array([2.0, 2.0, 0.0]))
    1.0
    """
    positive = weights[weights > 0]
    total = positive.sum()
    return max(float(np.log2(total) - (positive * np.log2(positive)).sum() / total), 0.0)


def fano_bound(bits: float, people: int) -> float:
    """Upper bound on rank-1 among `people` equally likely people, by observations that hold at most `bits` bits.

    Fano's inequality in its weak form (T. Cover and J. Thomas, Elements of Information Theory, 2.10):
    error >= 1 - (I + 1) / log2(people), and the mutual information I is at most the entropy of the observation.

    >>> fano_bound(1.0, 16)
    0.5
    """
    return min(1.0, (bits + 1) / log2(people))

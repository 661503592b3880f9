"""How an attacker with named raw photographs scores a probe: the table of matchers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from jaxtyping import Float, Int
from torch import Tensor

from campro.evaluation.linear import LinearMatcher
from campro.evaluation.scorer import Scorer
from campro.metrics.identification import unit_norm


class Matcher(Protocol):
    """A classifier that is fitted on raw embeddings only; it never sees a probe."""

    name: str

    def fit(
        self, raw: Float[Tensor, "N D"], subjects: Int[Tensor, "N"], gallery: Int[Tensor, "I"], seed: int
    ) -> Scorer:
        """Learn from embeddings of raw photographs; photograph `i` shows person `subjects[i]`.

        `gallery[p]` is the row of the one photograph of person `p` that the paper's nearest matcher uses.
        """
        ...


class NearestMatcher:
    """Cosine similarity to each person's single gallery photograph."""

    name = "nearest"

    def fit(
        self, raw: Float[Tensor, "N D"], subjects: Int[Tensor, "N"], gallery: Int[Tensor, "I"], seed: int
    ) -> Scorer:
        """Nothing is learnt: the gallery photographs are the classifier."""
        return Scorer(unit_norm(raw[gallery], "gallery"))


NEAREST = NearestMatcher.name
MATCHERS: dict[str, Callable[[], Matcher]] = {NEAREST: NearestMatcher, LinearMatcher.name: LinearMatcher}
"""Name to maker; one line per matcher."""

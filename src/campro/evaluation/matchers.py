"""How an attacker who owns named raw photographs scores a query: the table of matchers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from jaxtyping import Float, Int
from torch import Tensor

from campro.evaluation.linear import LinearMatcher
from campro.metrics.identification import unit_rows

Scorer = Callable[[Float[Tensor, "P D"]], Float[Tensor, "P I"]]
"""Query embeddings to one score per identity, higher = more alike."""


class Matcher(Protocol):
    """An attacker's classifier, fitted on raw embeddings only; it never sees a query."""

    name: str

    def fit(self, raw: Float[Tensor, "N D"], owner: Int[Tensor, "N"], gallery: Int[Tensor, "I"], seed: int) -> Scorer:
        """Learn from `raw` photographs, row `i` showing person `owner[i]`; `gallery[p]` is the one row that the
        paper's nearest matcher may use of person `p`."""
        ...


class NearestMatcher:
    """Cosine similarity to each person's single gallery photograph."""

    name = "nearest"

    def fit(self, raw: Float[Tensor, "N D"], owner: Int[Tensor, "N"], gallery: Int[Tensor, "I"], seed: int) -> Scorer:
        """Nothing is learnt: the gallery photographs are the classifier."""
        known = unit_rows(raw[gallery], "gallery")
        return lambda query: unit_rows(query, "query") @ known.T


MATCHERS: dict[str, Callable[[], Matcher]] = {"nearest": NearestMatcher, "linear": LinearMatcher}
"""Name to maker; one line per matcher."""

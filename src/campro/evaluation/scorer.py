"""A fitted matcher: one row of numbers per enrolled person, with which probes are compared."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from campro.metrics.gallery_search import MatedSearch, comparison_scores, search
from campro.metrics.identification import unit_norm


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores are scalar products of a probe of unit norm and the rows of `references`; higher is more alike."""

    references: Float[Tensor, "I D"]
    """One row per enrolled person: a gallery embedding, or the weights of a classifier."""

    def __call__(self, probe: Float[Tensor, "P D"]) -> Float[Tensor, "P I"]:
        """Score of each probe for each enrolled person.

        Raises:
            CamproError: for a probe without a direction.
        """
        return comparison_scores(unit_norm(probe, "probe"), self.references)

    def search(self, probe: Float[Tensor, "P D"], mate: Int[Tensor, "P"]) -> MatedSearch:
        """Rank and score of each probe's mate, number `mate` of the enrolled people.

        Raises:
            CamproError: for a probe without a direction, or a score that is not finite.
        """
        return search(unit_norm(probe, "probe"), self.references, mate)

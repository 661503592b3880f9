"""Closed-set identification: the rank at which the mate of a probe is found, and rates with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from campro.core.errors import CamproError
from campro.metrics.gallery_search import check_finite, search
from campro.metrics.rates import Z95, Rate, wilson

CHUNK = 2**22
"""Number of resampled people that are in memory at a time."""


def ranks_of_mates(scores: Float[Tensor, "P G"], mate: Int[Tensor, "P"]) -> Int[Tensor, "P"]:
    """Rank of each probe's mate among the gallery columns, 1 = best; ties go to the attacker.

    Scores of equal embeddings must be equal; `gallery_search.comparison_scores` and `search` ensure that.

    Args:
        scores: similarity of each probe to each gallery entry, higher is more alike.
        mate: column of each probe's mate.

    Raises:
        CamproError: for a score that is not finite.

    >>> ranks_of_mates(torch.tensor([[0.5, 0.5, 0.1], [0.9, 0.2, 0.1]]), torch.tensor([1, 2])).tolist()
    [1, 3]
    """
    check_finite(scores)
    return 1 + (scores > scores.gather(1, mate[:, None])).sum(1)


def unit_norm(embeddings: Float[Tensor, "N D"], label: str) -> Float[Tensor, "N D"]:
    """Embeddings scaled to length 1.

    Raises:
        CamproError: where there are none, or one is zero or not finite and so has no direction; `label` names them.
    """
    if embeddings.ndim != 2 or len(embeddings) == 0:
        raise CamproError(label, "embeddings (N, D) with N >= 1", str(tuple(embeddings.shape)))
    length = embeddings.norm(dim=1, keepdim=True)
    if not embeddings.isfinite().all() or not bool((length > 0).all()):
        raise CamproError(label, "finite, non-zero embeddings", "a zero, NaN or infinite one", "check the face model")
    return embeddings / length


def mate_ranks(gallery: Float[Tensor, "N D"], probe: Float[Tensor, "N D"]) -> Int[Tensor, "N"]:
    """Rank of `gallery[i]` for `probe[i]` by cosine similarity, 1 = best; ties go to the attacker.

    Raises:
        CamproError: for embeddings without a direction, or as many probes as gallery entries are not given.

    >>> mate_ranks(torch.eye(3), torch.tensor([[1.0, 0, 0], [0.9, 0.1, 0], [0, 0, 1]])).tolist()
    [1, 2, 1]
    """
    gallery, probe = unit_norm(gallery, "gallery"), unit_norm(probe, "probe")
    if gallery.shape != probe.shape:
        raise CamproError(
            "mate_ranks", f"as many probes as gallery rows {tuple(gallery.shape)}", f"{tuple(probe.shape)}"
        )
    return search(probe, gallery, torch.arange(len(probe), device=probe.device)).ranks


@dataclass(frozen=True)
class Identification:
    """Outcome of one closed-set trial: the mate of probe `i` is at rank `ranks[i]`.

    Raises:
        CamproError: without a rank, or with a rank below 1.
    """

    ranks: Int[Tensor, "P"]

    def __post_init__(self) -> None:
        if self.ranks.ndim != 1 or len(self.ranks) == 0 or int(self.ranks.min()) < 1:
            raise CamproError("Identification", "at least one rank, all >= 1", str(self.ranks.tolist()[:5]))

    @property
    def probes(self) -> int:
        """Number of probes."""
        return len(self.ranks)

    @property
    def hits(self) -> int:
        """Probes whose mate is at rank 1."""
        return self.hits_at(1)

    @property
    def rank1(self) -> float:
        """Share of probes whose mate is at rank 1."""
        return self.at(1)

    @property
    def rank5(self) -> float:
        """Share of probes whose mate is at rank 5 or better."""
        return self.at(5)

    @property
    def rank50(self) -> float:
        """Share of probes whose mate is at rank 50 or better."""
        return self.at(50)

    def hits_at(self, k: int) -> int:
        """Probes whose mate is at rank `k` or better."""
        return int((self.ranks <= k).sum())

    def at(self, k: int) -> float:
        """Rank-k rate in [0, 1]."""
        return self.hits_at(k) / self.probes

    def interval(self, k: int = 1, z: float = Z95) -> tuple[float, float]:
        """Wilson interval of the rank-k rate."""
        return wilson(self.hits_at(k), self.probes, z)

    def cmc(self, max_rank: int = 50) -> list[float]:
        """Cumulative match characteristic: the rank-k rates for k = 1 .. max_rank."""
        counts = torch.bincount(self.ranks.clamp(max=max_rank + 1).cpu(), minlength=max_rank + 2)
        return [int(n) / self.probes for n in counts[1 : max_rank + 1].cumsum(0)]

    def __str__(self) -> str:
        low, high = self.interval()
        return (
            f"rank-1 {self.rank1:.1%} [{low:.1%}, {high:.1%}], rank-5 {self.rank5:.1%}, "
            f"rank-50 {self.rank50:.1%} ({self.probes} probes)"
        )


def closed_set(gallery: Float[Tensor, "N D"], probe: Float[Tensor, "N D"]) -> Identification:
    """Identify each probe in a gallery of N people by cosine; `probe[i]` and `gallery[i]` show the same person.

    Raises:
        CamproError: see `mate_ranks`.

    >>> print(closed_set(torch.eye(4), torch.eye(4)))
    rank-1 100.0% [51.0%, 100.0%], rank-5 100.0%, rank-50 100.0% (4 probes)
    """
    return Identification(mate_ranks(gallery, probe))


@dataclass(frozen=True)
class RepeatedIdentification:
    """Several trials over the same people, in the same order, each with its own gallery and probe photographs.

    Raises:
        CamproError: for trials of different numbers of probes.
    """

    trials: tuple[Identification, ...]

    def __post_init__(self) -> None:
        sizes = {trial.probes for trial in self.trials}
        if len(sizes) != 1:
            raise CamproError(
                "RepeatedIdentification", "trials over the same people", f"trials of {sorted(sizes)} probes"
            )

    @property
    def identities(self) -> int:
        """People in every trial."""
        return self.trials[0].probes

    def of(self, people: Int[Tensor, " Q"]) -> RepeatedIdentification:
        """The same trials for some of the people; the gallery still holds all."""
        return RepeatedIdentification(tuple(Identification(trial.ranks[people]) for trial in self.trials))

    def mean(self, k: int = 1) -> float:
        """Rank-k rate, averaged over the trials."""
        return sum(trial.at(k) for trial in self.trials) / len(self.trials)

    def sd(self, k: int = 1) -> float:
        """Sample standard deviation of the rank-k rate over the trials (0 for a single one)."""
        if len(self.trials) < 2:
            return 0.0
        return math.sqrt(sum((t.at(k) - self.mean(k)) ** 2 for t in self.trials) / (len(self.trials) - 1))

    def interval(self, k: int = 1, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
        """95 % interval of the mean rank-k rate over people: seeded percentile bootstrap.

        People, not photographs, are resampled, each with the outcomes of all trials, since these are not
        independent. With fewer than 10 people ever identified (or ever missed) the bootstrap is too narrow, down to
        no width at all; then it is Wilson's interval over people.
        """
        return self._interval(
            torch.stack([(trial.ranks <= k).cpu().double() for trial in self.trials]).mean(0), draws, seed
        )

    def rate_in_gallery_of(self, people: int) -> Rate:
        """Rank-1 rate in a smaller gallery of `people`: the mean over all such galleries that hold the mate.

        If k of the G - 1 other entries score higher than the mate, none of them is among the others of a gallery of N
        with probability C(G - 1 - k, N - 1) / C(G - 1, N - 1).

        Raises:
            CamproError: for less than one person, or more than the gallery holds.
        """
        if not 1 <= people <= self.identities:
            raise CamproError("gallery", f"1 to {self.identities} people", str(people))
        others = self.identities - 1
        chances = torch.tensor(
            [math.exp(_log_choose(others - k, people - 1) - _log_choose(others, people - 1)) for k in range(others + 1)]
        ).double()
        each = torch.stack([chances[(trial.ranks - 1).clamp(max=others)] for trial in self.trials]).double()
        rates = each.mean(0)
        sd = float(each.mean(1).std()) if len(self.trials) > 1 else 0.0
        return Rate(float(rates.mean()), *self._interval(rates), self.identities, sd)

    @staticmethod
    def _interval(rates: Float[Tensor, "P"], draws: int = 2000, seed: int = 0) -> tuple[float, float]:
        """See `interval`; `rates` holds each person's mean over trials."""
        if min(int((rates > 0).sum()), int((rates < 1).sum())) < 10:
            return wilson(float(rates.sum()), len(rates))
        generator = torch.Generator().manual_seed(seed)
        sizes = torch.arange(draws).split(max(1, CHUNK // len(rates)))
        samples = (torch.randint(len(rates), (len(size), len(rates)), generator=generator) for size in sizes)
        means = torch.cat([rates[sample].mean(1) for sample in samples])
        low, high = means.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        return low, high

    def rate(self, k: int = 1) -> Rate:
        """Mean rank-k rate with its interval, and the standard deviation over trials."""
        return Rate(self.mean(k), *self.interval(k), self.identities, self.sd(k))

    def cmc(self, max_rank: int = 50) -> list[float]:
        """Cumulative match characteristic, averaged over the trials."""
        curves = [trial.cmc(max_rank) for trial in self.trials]
        return [sum(column) / len(curves) for column in zip(*curves, strict=True)]

    def __str__(self) -> str:
        low, high = self.interval()
        return (
            f"rank-1 {self.mean():.1%} ± {self.sd():.1%} [{low:.1%}, {high:.1%}] "
            f"({self.identities} people, {len(self.trials)} repeats)"
        )


def _log_choose(n: int, k: int) -> float:
    """Logarithm of the binomial coefficient; minus infinity where it is 0."""
    if k > n:
        return -math.inf
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def summarise(trials: Sequence[Identification]) -> RepeatedIdentification:
    """Gather trials over the same people."""
    return RepeatedIdentification(tuple(trials))


def summarise_hits(hits: Sequence[Bool[Tensor, "P"]]) -> RepeatedIdentification:
    """Trials that only hit or miss; a hit has rank 1.

    >>> summarise_hits([torch.tensor([True, False]), torch.tensor([True, True])]).mean()
    0.75
    """
    return summarise([Identification(torch.where(one, 1, 2)) for one in hits])

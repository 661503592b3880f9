"""Closed-set identification: at which rank does the attacker find the right person, and how sure are we of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from campro.core.errors import CamproError

Z95 = 1.96
"""Normal quantile of a two-sided 95 % interval."""


def ranks_of_mates(scores: Float[Tensor, "P G"], mate: Int[Tensor, "P"]) -> Int[Tensor, "P"]:
    """Rank of each probe's mate among the gallery columns, 1 = best; ties go to the attacker.

    >>> ranks_of_mates(torch.tensor([[0.5, 0.5, 0.1], [0.9, 0.2, 0.1]]), torch.tensor([1, 2])).tolist()
    [1, 3]
    """
    if not scores.isfinite().all():
        raise CamproError("ranks_of_mates", "finite scores", "NaN or infinity", "a broken model is not a defence")
    return 1 + (scores > scores.gather(1, mate[:, None])).sum(1)


def only_tied(scores: Float[Tensor, "P G"], mate: Int[Tensor, "P"], closeness: float = 1e-6) -> Bool[Tensor, "P"]:
    """Which probes find their mate first, but somebody else as near: hits that only the rule for ties makes hits.

    >>> only_tied(torch.tensor([[0.5, 0.5, 0.1], [0.9, 0.2, 0.1]]), torch.tensor([1, 0])).tolist()
    [True, False]
    """
    own = scores.gather(1, mate[:, None])
    return (ranks_of_mates(scores, mate) == 1) & ((scores >= own - closeness).sum(1) > 1)


def unit_rows(rows: Float[Tensor, "N D"], who: str) -> Float[Tensor, "N D"]:
    """Rows scaled to length 1; a zero or non-finite row is refused, since it has no direction."""
    if rows.ndim != 2 or len(rows) == 0:
        raise CamproError(who, "embeddings (N, D) with N >= 1", str(tuple(rows.shape)))
    length = rows.norm(dim=1, keepdim=True)
    if not rows.isfinite().all() or not bool((length > 0).all()):
        raise CamproError(who, "finite, non-zero embeddings", "a zero, NaN or infinite row", "check the face model")
    return rows / length


def mate_ranks(gallery: Float[Tensor, "N D"], probe: Float[Tensor, "N D"]) -> Int[Tensor, "N"]:
    """Rank of `gallery[i]` for `probe[i]` by cosine similarity, 1 = best; ties go to the attacker.

    >>> mate_ranks(torch.eye(3), torch.tensor([[1.0, 0, 0], [0.9, 0.1, 0], [0, 0, 1]])).tolist()
    [1, 2, 1]
    """
    gallery, probe = unit_rows(gallery, "gallery"), unit_rows(probe, "probe")
    if gallery.shape != probe.shape:
        raise CamproError(
            "mate_ranks", f"as many probes as gallery rows {tuple(gallery.shape)}", f"{tuple(probe.shape)}"
        )
    return ranks_of_mates(probe @ gallery.T, torch.arange(len(probe), device=probe.device))


def wilson(hits: float, probes: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a proportion: honest near zero, where protection lives.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927). `hits` may be a mean over repeats.
    """
    if probes < 1 or not 0 <= hits <= probes:
        raise CamproError("wilson", "0 <= hits <= probes and probes >= 1", f"{hits} of {probes}")
    rate, spread = hits / probes, z * z / probes
    half = z * math.sqrt(rate * (1 - rate) / probes + spread / (4 * probes))
    low, high = ((rate + spread / 2 + side * half) / (1 + spread) for side in (-1, 1))
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == probes else min(1.0, high))


@dataclass(frozen=True)
class Identification:
    """Outcome of one closed-set trial: probe `i` found its mate at rank `ranks[i]`."""

    ranks: Int[Tensor, "P"]

    def __post_init__(self) -> None:
        if self.ranks.ndim != 1 or len(self.ranks) == 0 or int(self.ranks.min()) < 1:
            raise CamproError("Identification", "at least one rank, all >= 1", str(self.ranks.tolist()[:5]))

    @property
    def probes(self) -> int:
        """Number of queries."""
        return len(self.ranks)

    @property
    def hits(self) -> int:
        """Queries whose mate came first."""
        return self.hits_at(1)

    @property
    def rank1(self) -> float:
        """Share of queries whose mate came first."""
        return self.at(1)

    @property
    def rank5(self) -> float:
        """Share of queries whose mate was among the first 5."""
        return self.at(5)

    @property
    def rank50(self) -> float:
        """Share of queries whose mate was among the first 50."""
        return self.at(50)

    def hits_at(self, k: int) -> int:
        """Queries whose mate was among the first `k`."""
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
    """Search each probe's face in a gallery of N known people by cosine; `probe[i]` is the person of `gallery[i]`.

    >>> print(closed_set(torch.eye(4), torch.eye(4)))
    rank-1 100.0% [51.0%, 100.0%], rank-5 100.0%, rank-50 100.0% (4 probes)
    """
    return Identification(mate_ranks(gallery, probe))


@dataclass(frozen=True)
class Repeated:
    """Several trials over the same people, in the same order, each with its own draw of photographs."""

    trials: tuple[Identification, ...]

    def __post_init__(self) -> None:
        sizes = {trial.probes for trial in self.trials}
        if len(sizes) != 1:
            raise CamproError("Repeated", "trials over the same people", f"trials of {sorted(sizes)} probes")

    @property
    def identities(self) -> int:
        """People searched for in every trial."""
        return self.trials[0].probes

    def of(self, people: Int[Tensor, " Q"]) -> Repeated:
        """The same trials of some of the people, who were searched for among all."""
        return Repeated(tuple(Identification(trial.ranks[people]) for trial in self.trials))

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
        independent. With fewer than 10 people ever found (or ever missed) the bootstrap is too narrow, down to
        no width at all; then it is Wilson's interval over people.
        """
        rates = torch.stack([(trial.ranks <= k).cpu().double() for trial in self.trials]).mean(0)
        if min(int((rates > 0).sum()), int((rates < 1).sum())) < 10:
            return wilson(float(rates.sum()), len(rates))
        generator = torch.Generator().manual_seed(seed)
        means = torch.empty(draws, dtype=torch.float64)
        for i in range(draws):
            means[i] = rates[torch.randint(len(rates), (len(rates),), generator=generator)].mean()
        low, high = means.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        return low, high

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


def summarise(trials: Sequence[Identification]) -> Repeated:
    """Gather trials over the same people into mean, spread and interval."""
    return Repeated(tuple(trials))


def summarise_hits(hits: Sequence[Bool[Tensor, "P"]]) -> Repeated:
    """Of trials that only hit or miss: hits have rank 1.

    >>> summarise_hits([torch.tensor([True, False]), torch.tensor([True, True])]).mean()
    0.75
    """
    return summarise([Identification(torch.where(one, 1, 2)) for one in hits])

"""Search of probes in a gallery: rank and score of each mate, with memory in proportion to the number of people.

Equal embeddings have equal scores. The matrix product of a BLAS library does not ensure that: it rounds equal sums in
different ways, depending on the place in the matrix. Here each distinct embedding enters the product only once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from campro.core.errors import CamproError

CHUNK = 1 << 26
"""Scores computed at once: 256 MiB in float32. A gallery of 8,192 people with as many probes is one product."""
CLOSENESS = 1e-6
"""Scores that differ by less than this count as equal in `MatedSearch.tied`."""


@dataclass(frozen=True)
class MatedSearch:
    """Outcome of a search of P probes, each with a mate in the gallery; ties go to the attacker."""

    ranks: Int[Tensor, "P"]
    """1 + number of gallery entries that score higher than the mate."""
    own: Float[Tensor, "P"]
    """Score of the mate."""
    best: Float[Tensor, "P"]
    """Highest score of all gallery entries."""
    tied: Bool[Tensor, "P"]
    """Whether the mate is at rank 1 only because ties go to the attacker: another entry scores as high."""
    non_mated: Float[Tensor, "Q"]
    """Highest score of each non-mated probe."""


def distinct_rows(table: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "U D"], Int[Tensor, "N"]]:
    """The distinct rows in the order of their first place, and for each row of `table` its number among them.

    >>> rows, number = distinct_rows(torch.tensor([[1.0, 2], [3, 4], [1, 2]]))
    >>> rows.tolist(), number.tolist()
    ([[1.0, 2.0], [3.0, 4.0]], [0, 1, 0])
    """
    _, number = _fingerprints(table).unique(return_inverse=True)
    place = torch.arange(len(table), device=table.device)
    first = torch.full_like(place, len(table)).scatter_reduce(0, number, place, "amin")[number]
    again = torch.nonzero(first != place)[:, 0]
    if len(again) == 0:
        return table, place
    for rows in again.split(1 << 16):
        if not torch.equal(table[rows], table[first[rows]]):  # two rows with one fingerprint; not known to occur
            distinct, number = table.unique(dim=0, return_inverse=True)
            return distinct, number
    firsts = torch.nonzero(first == place)[:, 0]
    return table[firsts], torch.searchsorted(firsts, first)


def comparison_scores(probe: Float[Tensor, "P D"], references: Float[Tensor, "G D"]) -> Float[Tensor, "P G"]:
    """Scalar product of each probe with each reference; equal embeddings have equal scores.

    >>> comparison_scores(torch.eye(2), torch.tensor([[0.5, 0.25], [0.5, 0.25]])).tolist()
    [[0.5, 0.5], [0.25, 0.25]]
    """
    (probes, row), (distinct, column) = distinct_rows(probe), distinct_rows(references)
    scores = _product(probes, distinct.T)
    scores = scores if len(probes) == len(row) else scores[row]
    return scores if len(distinct) == len(column) else scores[:, column]


def search(
    probe: Float[Tensor, "P D"],
    references: Float[Tensor, "G D"],
    mate: Int[Tensor, "P"],
    non_mated: Float[Tensor, "Q D"] | None = None,
    chunk: int = CHUNK,
) -> MatedSearch:
    """Compare every probe with every reference by scalar product, a part of the probes at a time.

    Args:
        probe: embeddings of people in the gallery.
        references: one row for each gallery entry: its embedding, or the weights of a classifier.
        mate: number of each probe's gallery entry.
        non_mated: embeddings of people who are not in the gallery. They are searched together with `probe`, so that
            equal embeddings have equal scores in both.
        chunk: number of scores that are in memory at once.

    Raises:
        CamproError: for a score that is not finite.
    """
    distinct, column = distinct_rows(references)
    entries = torch.bincount(column, minlength=len(distinct))
    shared = None if len(distinct) == len(column) else entries
    both = probe if non_mated is None else torch.cat([probe, non_mated])
    probes, number = distinct_rows(both)
    ranks, equal = torch.empty(2, len(probe), dtype=torch.long, device=probe.device)
    own, best = probe.new_empty(len(probe)), probe.new_empty(len(both))
    for scores, members, rows in _chunks(probes, distinct, number, chunk):
        best[members] = scores.amax(1)[rows]
        mated = members < len(probe)
        for places, some in _parts(members[mated], rows[mated], max(1, chunk // len(distinct))):
            wanted = scores[some, column[mate[places]]]
            table = scores if torch.equal(some, torch.arange(len(scores), device=some.device)) else scores[some]
            own[places] = wanted
            ranks[places] = 1 + _count(table > wanted[:, None], shared)
            equal[places] = _count(table >= wanted[:, None] - CLOSENESS, shared)
    return MatedSearch(ranks, own, best[: len(probe)], (ranks == 1) & (equal > 1), best[len(probe) :])


def check_finite(scores: Float[Tensor, "P G"]) -> None:
    """Raise a CamproError for a score that is not finite.

    Raises:
        CamproError: see above.
    """
    if not scores.isfinite().all():
        raise CamproError("ranks_of_mates", "finite scores", "NaN or infinity", "a broken model is not a defence")


def _product(probes: Float[Tensor, "P D"], transposed: Float[Tensor, "D G"]) -> Float[Tensor, "P G"]:
    """In the precision of the embeddings, also while a network is validated in bfloat16: rounded scores are ties."""
    with torch.autocast(probes.device.type, enabled=False):
        return probes @ transposed


def _chunks(
    probes: Float[Tensor, "U D"], references: Float[Tensor, "V D"], number: Int[Tensor, "N"], chunk: int
) -> Iterator[tuple[Float[Tensor, "u V"], Int[Tensor, "n"], Int[Tensor, "n"]]]:
    """Scores of some distinct probes, the probes with these embeddings, and the row of each of these in the scores."""
    order = number.argsort(stable=True)
    ends = number[order]
    size = max(1, chunk // len(references))
    transposed = references.T
    for start in range(0, len(probes), size):
        scores = _product(probes[start : start + size], transposed)
        check_finite(scores)
        low, high = torch.searchsorted(ends, torch.tensor([start, start + len(scores)], device=ends.device)).tolist()
        members = order[low:high]
        yield scores, members, number[members] - start


def _parts(
    members: Int[Tensor, "n"], rows: Int[Tensor, "n"], size: int
) -> Iterator[tuple[Int[Tensor, "m"], Int[Tensor, "m"]]]:
    return zip(members.split(size), rows.split(size), strict=True)


def _count(marked: Bool[Tensor, "P V"], entries: Int[Tensor, "V"] | None) -> Int[Tensor, "P"]:
    """Number of gallery entries behind the marked distinct references."""
    if entries is None:
        return marked.sum(1)
    more = torch.nonzero(entries > 1)[:, 0]  # the same sum, without a table of integers
    return marked.sum(1) + (marked[:, more] * (entries[more] - 1)).sum(1)


def _fingerprints(table: Float[Tensor, "N D"]) -> Int[Tensor, "N"]:
    """A 64-bit hash of each row; rows of equal numbers have equal hashes."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(-(2**63), 2**63 - 1, (table.shape[1],), generator=generator).to(table.device) | 1
    hashes = [_hash(part, factors) for part in table.split(max(1, (1 << 24) // max(1, table.shape[1])))]
    return torch.cat(hashes) if hashes else torch.empty(0, dtype=torch.long, device=table.device)


def _hash(table: Float[Tensor, "n D"], factors: Int[Tensor, "D"]) -> Int[Tensor, "n"]:
    bits = (table.double() + 0.0).view(torch.int64)  # + 0.0: -0 becomes 0
    return ((bits ^ (bits >> 29)) * factors).sum(1)

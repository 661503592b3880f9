from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.metrics.identification import Identification, RepeatedIdentification, closed_set, mate_ranks, summarise
from campro.metrics.rates import wilson


def trial(*ranks: int) -> Identification:
    return Identification(torch.tensor(ranks))


def test_ranks_by_hand():
    probe = torch.tensor([[1.0, 0, 0], [0.9, 0.1, 0], [0.3, 0.2, 0.1]])
    assert mate_ranks(torch.eye(3), probe).tolist() == [1, 2, 3]


def test_ties_go_to_the_attacker():
    same = torch.ones(5, 4)
    assert mate_ranks(same, same).tolist() == [1] * 5


def test_length_does_not_matter():
    gallery, probe = torch.randn(20, 8), torch.randn(20, 8)
    scale = torch.rand(20, 1) * 10 + 0.1
    assert torch.equal(mate_ranks(gallery, probe), mate_ranks(gallery * scale, probe / scale))


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_rows_without_a_direction_are_refused(bad, side):
    pair = [torch.eye(3), torch.eye(3)]
    pair[side][1] = bad
    with pytest.raises(CamproError, match=("gallery", "probe")[side]):
        mate_ranks(*pair)


def test_shapes_are_refused():
    with pytest.raises(CamproError, match="as many probes"):
        mate_ranks(torch.eye(3), torch.eye(3)[:2])
    with pytest.raises(CamproError, match="N >= 1"):
        closed_set(torch.zeros(0, 3), torch.zeros(0, 3))
    with pytest.raises(CamproError):
        Identification(torch.tensor([0]))


def test_cmc_by_hand():
    result = trial(1, 2, 2, 7)
    assert result.cmc(4) == [0.25, 0.75, 0.75, 0.75]
    assert (result.hits, result.probes, result.rank1, result.rank5, result.rank50) == (1, 4, 0.25, 0.75, 1.0)
    assert "rank-1 25.0%" in str(result)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_cmc_agrees_with_counting(ranks):
    result = trial(*ranks)
    assert result.cmc(50) == pytest.approx([sum(r <= k for r in ranks) / len(ranks) for k in range(1, 51)])


def test_repeats_by_hand():
    both = summarise([trial(1, 1, 9, 9), trial(1, 9, 9, 9)])
    assert both.mean() == pytest.approx(0.375)
    assert both.sd() == pytest.approx(0.125 * 2**0.5)  # sample deviation of 0.5 and 0.25
    assert both.cmc(9)[-1] == 1.0
    assert (both.identities, summarise([trial(1, 2)]).sd()) == (4, 0.0)
    with pytest.raises(CamproError, match="same people"):
        RepeatedIdentification((trial(1), trial(1, 2)))


def test_bootstrap_is_seeded_and_near_the_normal_interval():
    ranks = torch.where(torch.rand(1000) < 0.3, 1, 5)
    result = summarise([Identification(ranks)])
    low, high = result.interval()
    assert (low, high) == result.interval()
    assert (low, high) != result.interval(seed=1)
    half = 1.96 * (result.mean() * (1 - result.mean()) / 1000) ** 0.5
    assert (low, high) == pytest.approx((result.mean() - half, result.mean() + half), abs=0.005)


def test_repeats_of_one_outcome_are_not_more_evidence():
    once = Identification(torch.where(torch.rand(200) < 0.3, 1, 5))
    assert summarise([once] * 10).interval() == pytest.approx(summarise([once]).interval())


@pytest.mark.parametrize("rank, side", [(9, 1), (1, 0)])
def test_interval_keeps_a_width_when_nobody_or_everybody_is_found(rank, side):
    bounds = summarise([trial(*[rank] * 100)] * 3).interval()
    assert bounds == pytest.approx(wilson(100 if rank == 1 else 0, 100))
    assert 0.01 < bounds[side] < 0.99

"""The search in a gallery: equal embeddings, any order, parts of any size."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.evaluation.linear import LinearMatcher
from campro.metrics.gallery_search import comparison_scores, distinct_rows, search
from campro.metrics.identification import closed_set, ranks_of_mates, unit_norm

SIZES = (2, 7, 33, 50, 100, 333, 1000, 1681)


def _random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("people", SIZES)
@pytest.mark.parametrize("dim", [3, 128, 512])
def test_one_embedding_for_all_people_is_a_tie_of_all(people, dim):
    same = _random(people, 1, dim).repeat(people, 1)
    assert closed_set(same, same).rank1 == 1.0
    found = search(same, same, torch.arange(people), same)
    assert found.tied.all()
    assert torch.equal(found.own, found.best)
    assert torch.equal(found.non_mated, found.best)


@given(st.data())
@settings(max_examples=60)
def test_people_with_equal_embeddings_have_equal_scores_and_ranks(data):
    people = data.draw(st.integers(2, 130))
    dim = data.draw(st.sampled_from([1, 5, 64, 128, 200]))
    seed = data.draw(st.integers(0, 1000))
    kinds = torch.randint(data.draw(st.integers(1, people)), (people,), generator=torch.Generator().manual_seed(seed))
    gallery = unit_norm(_random(seed, people, dim)[kinds], "gallery")
    probe = unit_norm(_random(seed + 1, people, dim)[kinds], "probe")
    found = search(probe, gallery, torch.arange(people), chunk=data.draw(st.integers(1, people * people)))
    for kind in kinds.unique():
        some = kinds == kind
        assert len(found.ranks[some].unique()) == len(found.own[some].unique()) == len(found.best[some].unique()) == 1
    scores = comparison_scores(probe, gallery)
    assert torch.equal(scores[:, 0], scores[:, int((kinds == kinds[0]).nonzero()[-1])])
    order = torch.randperm(people, generator=torch.Generator().manual_seed(seed))
    moved = search(probe[order], gallery[order], torch.arange(people))
    exact = probe.double() @ gallery.double().T
    gaps = (exact - exact.diag()[:, None]).abs()
    decided = ((gaps > 1e-6) | (kinds[:, None] == kinds[None])).all(1)  # no other score is as close as rounding
    assert torch.equal(moved.ranks[decided[order]], found.ranks[order][decided[order]])


@given(st.integers(0, 100), st.integers(1, 900), st.integers(0, 20))
def test_parts_give_what_the_whole_matrix_gives(seed, chunk, others):
    probe, gallery, non_mated = _random(seed, 30, 8), _random(seed + 1, 25, 8), _random(seed + 2, others, 8)
    mate = torch.randint(25, (30,), generator=torch.Generator().manual_seed(seed))
    found = search(probe, gallery, mate, non_mated, chunk=chunk)
    scores = probe.double() @ gallery.double().T
    assert torch.equal(found.ranks, ranks_of_mates(scores, mate))
    torch.testing.assert_close(found.own.double(), scores.gather(1, mate[:, None])[:, 0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.best.double(), scores.amax(1), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        found.non_mated.double(), (non_mated.double() @ gallery.double().T).amax(1), rtol=1e-5, atol=1e-5
    )


def test_scores_without_equal_embeddings_are_those_of_the_matrix_product():
    probe, gallery = _random(0, 40, 128), _random(1, 30, 128)
    assert torch.equal(comparison_scores(probe, gallery), probe @ gallery.T)
    found = search(probe, gallery, torch.arange(30).repeat(2)[:40])
    assert torch.equal(found.own, (probe @ gallery.T).gather(1, torch.arange(30).repeat(2)[:40, None])[:, 0])


@given(st.lists(st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.5]), min_size=2, max_size=2), min_size=1, max_size=20))
def test_distinct_rows_agree_with_a_comparison_of_all(rows):
    table = torch.tensor(rows)
    distinct, number = distinct_rows(table)
    assert torch.equal(distinct[number], table)
    assert len(distinct) == len({tuple(row) for row in table.tolist()})
    assert number.unique().tolist() == list(range(len(distinct)))


def test_a_tie_at_rank_1_is_marked():
    found = search(torch.tensor([[0.5, 0.5, 0.1], [0.9, 0.2, 0.1]]), torch.eye(3), torch.tensor([1, 0]))
    assert found.tied.tolist() == [True, False]


def test_broken_scores_are_refused():
    with pytest.raises(CamproError, match="finite"):
        search(torch.eye(2), torch.tensor([[float("nan"), 0], [0, 1]]), torch.arange(2))


def test_people_with_equal_photographs_are_equal_for_the_linear_matcher():
    people = unit_norm(_random(3, 5, 16), "people")
    subjects = torch.arange(10).repeat_interleave(3)
    embeddings = unit_norm(people[subjects % 5] + 0.1 * _random(4, 15, 16).repeat(2, 1), "embeddings")
    scorer = LinearMatcher(decays=(0.1,), steps=(5,)).fit(embeddings, subjects, torch.arange(0, 30, 3), seed=0)
    scores = scorer(embeddings)
    assert torch.equal(scores[:, :5], scores[:, 5:])
    assert (scorer.search(embeddings, subjects).ranks == 1).all()


def test_scores_are_not_rounded_while_networks_run_in_bfloat16():
    """Two references whose scores differ by 0.001 are equal in bfloat16."""
    references = torch.tensor([[1.0, 0.0], [0.999, 0.0]])
    with torch.autocast("cpu", torch.bfloat16):
        found = search(torch.tensor([[1.0, 0.0]]), references, torch.tensor([0]))
        assert comparison_scores(references[:1], references).tolist() == [pytest.approx([1.0, 0.999])]
    assert not found.tied.any() and found.best.dtype == torch.float32

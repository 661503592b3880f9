from __future__ import annotations

from pathlib import Path

import pytest
import torch

from campro.core.errors import CamproError
from campro.data.faces import FaceSet
from campro.evaluation import MATCHERS, LinearMatcher, NearestMatcher, call_roll, draw_repeats, identify

FACES = FaceSet(
    "toy", Path("toy"), {f"p{i}": tuple(Path(f"p{i}/{j}.png") for j in range(2 + i % 3)) for i in range(10, 22)}
)


class Spy(LinearMatcher):
    """Remembers every row that any part of the matcher was given to learn from."""

    def __init__(self):
        super().__init__(decays=(0.1, 0.01), steps=(3,))
        self.seen = []

    def fit(self, raw, owner, gallery, seed):
        self.seen.append(raw)
        assert torch.equal(owner[gallery], torch.arange(12))
        return super().fit(raw, owner, gallery, seed)


@pytest.fixture
def roll():
    return call_roll(FACES)


def rows_of(roll, noise=0.05):
    rows = torch.eye(12)[roll.owner] + noise * torch.randn(len(roll.owner), 12)
    return torch.nn.functional.normalize(rows, dim=1)


def test_splits_take_two_photographs_of_each_person(roll):
    splits = draw_repeats(roll, repeats=5, seed=7)
    for split in splits:
        assert torch.equal(roll.owner[split.gallery], torch.arange(12))
        assert torch.equal(roll.owner[split.query], torch.arange(12))
        assert not bool((split.gallery == split.query).any())
    again = draw_repeats(roll, repeats=5, seed=7)
    assert all(torch.equal(a.query, b.query) for a, b in zip(splits, again, strict=True))
    assert len({tuple(split.query.tolist()) for split in splits}) > 1
    with pytest.raises(CamproError, match="repeat"):
        draw_repeats(roll, repeats=0, seed=0)


@pytest.mark.parametrize("name", MATCHERS)
def test_every_matcher_finds_everybody_in_raw_and_nobody_in_noise(roll, name):
    raw = rows_of(roll)
    noise = torch.nn.functional.normalize(torch.randn(len(raw), 12), dim=1)
    found = identify(raw, {"raw": raw, "noise": noise}, roll.owner, draw_repeats(roll, 4, 0), MATCHERS[name]())
    assert found["raw"].mean() == 1.0
    assert found["noise"].mean() < 0.4


def test_nearest_agrees_with_closed_set(roll):
    from campro.metrics.identification import closed_set

    raw, view = rows_of(roll, noise=0.5), rows_of(roll, noise=0.5)
    splits = draw_repeats(roll, 3, 0)
    found = identify(raw, {"view": view}, roll.owner, splits, NearestMatcher())["view"]
    for split, trial in zip(splits, found.trials, strict=True):
        assert torch.equal(trial.ranks, closed_set(raw[split.gallery], view[split.query]).ranks)


def test_no_matcher_learns_from_a_query(roll):
    raw, spy = rows_of(roll), Spy()
    splits = draw_repeats(roll, 3, 0)
    identify(raw, {"raw": raw}, roll.owner, splits, spy)
    for split, seen in zip(splits, spy.seen, strict=True):
        assert len(seen) == len(raw) - 12
        assert not (seen[:, None] == raw[split.query][None]).all(2).any()

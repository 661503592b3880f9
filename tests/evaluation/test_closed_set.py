from __future__ import annotations

from pathlib import Path

import pytest
import torch

from campro.data.faces import FaceSet
from campro.evaluation import MATCHERS, EvaluationSet, LinearMatcher, NearestMatcher, identify
from campro.evaluation.closed_set import tracked
from campro.metrics.identification import closed_set
from campro.models.faces import Landmarks

FACES = FaceSet(
    "toy", Path("toy"), {f"p{i}": tuple(Path(f"p{i}/{j}.png") for j in range(2 + i % 3)) for i in range(10, 22)}
)


class Spy(LinearMatcher):
    """Records every embedding that any part of the matcher is given to learn from."""

    def __init__(self):
        super().__init__(decays=(0.1, 0.01), steps=(3,))
        self.seen = []

    def fit(self, raw, subjects, gallery, seed):
        self.seen.append(raw)
        assert torch.equal(subjects[gallery], torch.arange(12))
        return super().fit(raw, subjects, gallery, seed)


@pytest.fixture
def evaluation():
    return EvaluationSet.of(FACES, Landmarks("five", "all", {photo: None for photo in FACES.photos}), repeats=3)


def embeddings_of(evaluation, noise=0.05):
    embeddings = torch.eye(12)[evaluation.subjects] + noise * torch.randn(len(evaluation.subjects), 12)
    return torch.nn.functional.normalize(embeddings, dim=1)


@pytest.mark.parametrize("name", MATCHERS)
def test_every_matcher_identifies_everybody_in_raw_and_nobody_in_noise(evaluation, name):
    raw = embeddings_of(evaluation)
    noise = torch.nn.functional.normalize(torch.randn(len(raw), 12), dim=1)
    views = {"raw": raw, "noise": noise}
    found = identify(raw, views, evaluation.subjects, evaluation.trials, MATCHERS[name]())
    assert found["raw"].mean() == 1.0
    assert found["noise"].mean() < 0.4


def test_nearest_agrees_with_the_closed_set_of_the_public_api(evaluation):
    raw, view = embeddings_of(evaluation, noise=0.5), embeddings_of(evaluation, noise=0.5)
    found = identify(raw, {"view": view}, evaluation.subjects, evaluation.trials, NearestMatcher())["view"]
    for trial, outcome in zip(evaluation.trials, found.trials, strict=True):
        assert torch.equal(outcome.ranks, closed_set(raw[trial.gallery], view[trial.probe]).ranks)


def test_no_matcher_learns_from_a_probe(evaluation):
    raw, spy = embeddings_of(evaluation), Spy()
    identify(raw, {"raw": raw}, evaluation.subjects, evaluation.trials, spy)
    for trial, seen in zip(evaluation.trials, spy.seen, strict=True):
        assert len(seen) == len(raw) - 12
        assert not (seen[:, None] == raw[trial.probe][None]).all(2).any()


def test_slow_matchers_show_their_progress(capsys):
    assert list(tracked([1, 2], "nearest")) == [1, 2]
    assert capsys.readouterr().err == ""
    assert list(tracked([1, 2], "linear")) == [1, 2]
    assert capsys.readouterr().err == "linear matching: 2/2\n"


@pytest.mark.parametrize("name", MATCHERS)
def test_distractors_are_in_every_gallery(evaluation, name):
    """Twelve people; distractors that look like the probes of the first three push these to rank 2, and no others."""
    raw = embeddings_of(evaluation, noise=0.0)
    probes = raw.clone()
    probes[evaluation.subjects < 3] = torch.nn.functional.normalize(
        torch.eye(12)[evaluation.subjects[evaluation.subjects < 3]] + 0.9 * torch.eye(12)[11], dim=1
    )
    others = torch.nn.functional.normalize(torch.eye(12)[:3] + 0.9 * torch.eye(12)[11], dim=1)
    matcher = MATCHERS[name]()
    for distractors, rate in ((None, 1.0), (others[:0], 1.0), (others, 9 / 12)):
        found = identify(raw, {"v": probes}, evaluation.subjects, evaluation.trials, matcher, distractors)["v"]
        assert found.mean() == pytest.approx(rate)
        assert all(len(outcome.ranks) == 12 for outcome in found.trials)

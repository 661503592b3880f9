from __future__ import annotations

from pathlib import Path

import pytest
import torch

from campro.core.errors import CamproError
from campro.data.faces import FaceSet
from campro.evaluation import EvaluationSet
from campro.models.faces import Landmarks

FACES = FaceSet(
    "toy", Path("toy"), {f"p{i}": tuple(Path(f"p{i}/{j}.png") for j in range(1 + i % 4)) for i in range(10, 26)}
)
FOUND = Landmarks("five", "all", {photo: None for photo in FACES.photos})
SUBJECTS = 12  # of sixteen people four have a single photograph


def test_trials_take_two_photographs_of_each_subject():
    evaluation = EvaluationSet.of(FACES, FOUND, repeats=5, seed=7)
    assert evaluation.people == SUBJECTS
    for trial in evaluation.trials:
        assert torch.equal(evaluation.subjects[trial.gallery], torch.arange(SUBJECTS))
        assert torch.equal(evaluation.subjects[trial.probe], torch.arange(SUBJECTS))
        assert not bool((trial.gallery == trial.probe).any())
    again = EvaluationSet.of(FACES, FOUND, repeats=5, seed=7).trials
    assert all(torch.equal(a.probe, b.probe) for a, b in zip(evaluation.trials, again, strict=True))
    assert len({tuple(trial.probe.tolist()) for trial in evaluation.trials}) > 1
    assert [trial.seed for trial in again] == [7, 8, 9, 10, 11]


def test_photographs_without_a_face_leave_the_set():
    """Of p11, with four photographs, three are missed; of p12, with one, nothing changes."""
    found = {photo: None for photo in FACES.photos if photo.parent.name != "p11" or photo.name == "0.png"}
    evaluation = EvaluationSet.of(FACES, Landmarks("five", "some", found), repeats=1)
    assert evaluation.people == SUBJECTS - 1
    assert not [photo for photo in evaluation.photos if photo.parent.name in ("p11", "p12")]
    assert len(evaluation.photos) == len(evaluation.subjects)


def test_people_with_one_photograph_are_non_mated():
    evaluation = EvaluationSet.of(FACES, FOUND, repeats=1)
    assert {photo.parent.name for photo in evaluation.non_mated(FACES)} == {"p12", "p16", "p20", "p24"}


def test_at_least_one_trial_is_needed():
    with pytest.raises(CamproError, match="repeat"):
        EvaluationSet.of(FACES, FOUND, repeats=0)

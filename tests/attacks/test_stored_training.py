"""Trainings in the cache folder: resumed ones end like uninterrupted ones, finished ones are not repeated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from campro.attacks import stored_training
from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.budget import TrainingSettings
from campro.attacks.training_crops import CropPairs
from campro.attacks.training_run import LEAST_FACES, TrainingRun
from campro.core import atomic_io
from campro.core.errors import CamproError
from campro.core.provenance import current_origin
from campro.training import checkpoints

BATCH = 400
STEPS = LEAST_FACES // BATCH
"""Steps of an epoch."""
SETTINGS = TrainingSettings(1e-2)


class Student(nn.Module):
    """A network with batch normalisation and dropout, whose steps depend on the random numbers of torch."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))

    def forward(self, values):
        return self.body(values)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The folder of stored trainings, which are saved after every step."""
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path))
    monkeypatch.setattr(checkpoints, "SAVE_EVERY_S", -1.0)
    monkeypatch.setattr(atomic_io, "_sync", lambda file: None)  # the tests save hundreds of times
    clean = replace(current_origin(), commit="abc", dirty=False)
    monkeypatch.setattr(stored_training, "current_origin", lambda: clean)
    return tmp_path / stored_training.FOLDER


@pytest.fixture
def make(tiny_embedder, quick):
    """Makes the same training again: its student, the training, and a list of its losses."""
    faces = CropPairs(np.zeros((2, 4, 4, 3), np.uint8), np.ones((2, 4, 4, 3), np.uint8), torch.zeros(2).long())
    knowledge = AttackerKnowledge(tiny_embedder(), 0, budget=quick)

    def made(stop=None, gain=1.0, **options):
        student, losses = Student(), []
        values = torch.from_numpy(np.random.default_rng(1).normal(size=(BATCH * 2, 4))).float()

        def loss(indices, rng):
            if len(losses) == stop:
                raise KeyboardInterrupt
            noise = float(rng.normal())
            found = (student(values[torch.from_numpy(indices)]) - values[indices].sum(1, keepdim=True)).square().mean()
            losses.append(float(found.detach()) + noise)
            return found + noise

        def score():
            student.eval()
            with torch.no_grad():
                return -gain * float((student(values) - values.sum(1, keepdim=True)).square().mean())

        given = {"label": "fit", "faces": (faces, faces), "batch": BATCH} | options
        run = TrainingRun(student, loss, score, len(values), knowledge, **given)
        return student, run, losses

    return made


@pytest.mark.parametrize(("gain", "annealed"), [(1.0, True), (-0.01, False)], ids=["one attempt", "three attempts"])
@pytest.mark.parametrize("stop", [1, STEPS, 2 * STEPS + 1])
def test_a_training_goes_on_where_it_was_interrupted(files, make, stop, gain, annealed):
    whole, run, losses = make(gain=gain, annealed=annealed, faces=None)
    wanted = run.train(SETTINGS)
    assert not files.exists()

    _, run, before = make(stop, gain, annealed=annealed)
    with pytest.raises(KeyboardInterrupt):
        run.train(SETTINGS)
    resumed, run, after = make(gain=gain, annealed=annealed)
    torch.manual_seed(6)  # another process has other random numbers
    assert (result := run.train(SETTINGS)).curve == wanted.curve
    assert [*before, *after] == losses
    assert result.converged == wanted.converged
    assert all(
        torch.equal(one, other) for one, other in zip(whole.state_dict().values(), resumed.state_dict().values())
    )
    assert not resumed.training


def test_a_finished_training_is_not_repeated(files, make):
    student, run, _ = make()
    first = run.train(SETTINGS)
    again, run, losses = make()
    second = run.train(SETTINGS)
    assert (second.curve, second.converged, losses) == (first.curve, first.converged, [])
    assert second.earlier_s > first.earlier_s == 0
    assert files.stat().st_mode & 0o077 == 0
    assert all(
        torch.equal(one, other) for one, other in zip(student.state_dict().values(), again.state_dict().values())
    )


def test_another_training_has_a_file_of_its_own(files, make):
    make()[1].train(SETTINGS)
    for number, options in enumerate([{"label": "other"}, {"annealed": True}, {"untrained": True}], 2):
        make(**options)[1].train(SETTINGS)
        assert len(list(files.iterdir())) == number
    make()[1].train(TrainingSettings(1e-2, seed=1))
    lighter = CropPairs(np.zeros((2, 4, 4, 3), np.uint8), np.full((2, 4, 4, 3), 2, np.uint8), torch.zeros(2).long())
    make(faces=(lighter, lighter))[1].train(SETTINGS)
    assert len(list(files.iterdir())) == 6


def test_nothing_is_stored_of_code_that_no_commit_names(files, make, monkeypatch):
    dirty = replace(current_origin(), commit="abc", dirty=True)
    monkeypatch.setattr(stored_training, "current_origin", lambda: dirty)
    make()[1].train(SETTINGS)
    assert not files.exists()


def test_a_network_of_another_commit_is_not_used(files, make, monkeypatch):
    make()[1].train(SETTINGS)
    later = replace(current_origin(), commit="def", dirty=False)
    monkeypatch.setattr(stored_training, "current_origin", lambda: later)
    _, run, losses = make()
    run.train(SETTINGS)
    assert losses


def test_short_trainings_are_not_stored(files, make, monkeypatch):
    monkeypatch.setattr(checkpoints, "SAVE_EVERY_S", 60.0)
    make()[1].train(SETTINGS)
    assert not files.exists()


def test_a_damaged_file_is_an_error_with_a_remedy(files, make):
    make()[1].train(SETTINGS)
    (file,) = files.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(CamproError, match="delete this file and run again"):
        make()[1].train(SETTINGS)

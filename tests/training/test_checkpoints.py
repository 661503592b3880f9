"""Saves come when they are due, and a training resumes from the last one."""

from __future__ import annotations

import pytest
import torch

from campro.core.errors import CamproError
from campro.core.run_folder import RunFolder
from campro.training import checkpoints
from campro.training.checkpoints import Checkpoints


@pytest.fixture
def run(tmp_path):
    return RunFolder.open(tmp_path, {})


def load(saved):
    assert torch.equal(saved["weights"], torch.ones(2))
    return saved["step"]


def test_resume_drops_later_lines_of_the_log(run):
    assert Checkpoints(run).resume(load) == 0
    run.log({"step": 1})
    Checkpoints(run).save({"step": 1, "weights": torch.ones(2)})
    run.log({"step": 2})
    assert Checkpoints(run).resume(load) == 1
    assert run.metrics() == [{"step": 1}]


def test_without_a_save_the_log_is_empty(run):
    run.log({"step": 1})
    assert Checkpoints(run).resume(load) == 0
    assert run.metrics() == []


def test_saves_are_rare(run, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    saves, states = Checkpoints(run), []

    def state():
        states.append(now[0])
        return {"step": len(states)}

    for now[0] in (10.0, 60.0, 61.0, 100.0, 121.5):
        saves.save_if_due(state)
    assert states == [61.0, 121.5]
    assert run.load_state() == {"step": 2}
    now[0] = 150.0
    saves.save(state())
    now[0] = 200.0
    saves.save_if_due(state)
    assert states[-1] == 150.0  # an explicit save counts, too


def test_a_damaged_save_is_an_error(run):
    (run.path / "state.pt").write_bytes(b"damaged")
    with pytest.raises(CamproError, match="state"):
        Checkpoints(run).resume(load)

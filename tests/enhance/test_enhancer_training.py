"""The training loop: seeds, interruption, and refusal of a loss that is not finite."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.device import make_fabric
from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.core.run_folder import RunFolder
from campro.enhance.enhancer_training import TrainingSet, train_enhancer
from campro.enhance.enhancers import new_enhancer
from campro.enhance.recolouring import without_recolouring
from campro.enhance.samples import TrainingPhoto
from campro.isp import Camera


@pytest.fixture
def training_set(tmp_path):
    rgb = (torch.rand(96, 96, 3) * 255).byte().numpy()
    write_image(tmp_path / "photo.png", rgb)
    photos = [TrainingPhoto(tmp_path / "photo.png", np.array([[20.0, 20, 60, 70]]))]
    return TrainingSet(photos, Camera("invert"), without_recolouring, 32, 2)


def _train(training_set, folder, steps):
    torch.manual_seed(0)
    fabric = make_fabric("cpu")
    return train_enhancer(new_enhancer("fast"), training_set, RunFolder.open(folder, {}), fabric, steps, seed=0)


@pytest.mark.slow
def test_other_processes_compute_the_same_batches(training_set):
    keys = [(0, 0, step) for step in range(3)]
    for alone, other in zip(training_set.batches(keys), training_set.batches(keys, workers=2), strict=True):
        assert all(torch.equal(one, two) for one, two in zip(alone, other, strict=True))


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_weights(training_set, tmp_path, monkeypatch):
    monkeypatch.setattr("campro.training.checkpoints.SAVE_EVERY_S", 0.0)
    whole = _train(training_set, tmp_path / "whole", 6)
    draw, calls = TrainingSet.__getitem__, []

    def killed(self, key):
        calls.append(key)
        if key[-1] == 3:
            raise KeyboardInterrupt
        return draw(self, key)

    monkeypatch.setattr(TrainingSet, "__getitem__", killed)
    with pytest.raises(KeyboardInterrupt):
        _train(training_set, tmp_path / "killed", 6)
    monkeypatch.setattr(TrainingSet, "__getitem__", draw)
    again = _train(training_set, tmp_path / "killed", 6).state_dict()
    assert (0, 0, 5) not in calls
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again[name]), name


def test_a_loss_that_is_not_finite_is_refused(training_set, tmp_path):
    enhancer = new_enhancer("fast")
    torch.nn.init.constant_(enhancer.mask_net.body.head.bias, float("nan"))
    fabric = make_fabric("cpu")
    with pytest.raises(CamproError, match="a finite loss"):
        train_enhancer(enhancer, training_set, RunFolder.open(tmp_path / "run", {}), fabric, 1, seed=0)

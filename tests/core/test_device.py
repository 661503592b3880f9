from __future__ import annotations

import os
import random
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from campro.core.device import disable_busy_waiting, make_fabric, seed_everything
from campro.core.errors import CamproError

TWO_PROCESSES = """
import sys
sys.modules["torchmetrics"] = None  # a package of the tests, which Lightning would import, and with it torchvision
import torch
from campro.core.device import make_fabric
fabric = make_fabric("cpu", 2)
total = fabric.all_reduce(torch.tensor(float(fabric.global_rank + 1)), reduce_op="sum")
print(f"rank {fabric.global_rank} of {fabric.world_size}: {float(total)}", flush=True)
"""


def test_one_cpu():
    fabric = make_fabric("cpu")
    assert fabric.device.type == "cpu" and fabric.world_size == 1
    model, optimiser = fabric.setup(m := torch.nn.Linear(2, 1), torch.optim.SGD(m.parameters(), 0.1))
    fabric.backward(model(torch.ones(1, 2)).sum())
    optimiser.step()


@pytest.mark.slow
def test_two_processes_work_together(tmp_path):
    (tmp_path / "work.py").write_text(TWO_PROCESSES)
    done = subprocess.run([sys.executable, tmp_path / "work.py"], capture_output=True, text=True, timeout=120)
    # Two processes share one pipe, so their lines may run into each other.
    lines = sorted(re.findall(r"rank \d of 2: [\d.]+?\d(?=\D|$)", done.stdout.replace("rank", "\nrank")))
    assert lines == ["rank 0 of 2: 3.0", "rank 1 of 2: 3.0"], done.stderr


@pytest.mark.gpu
def test_one_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    assert make_fabric("cuda").device.type == "cuda"


@pytest.mark.parametrize("choice", [("abacus", 1, "32-true"), ("cpu", 1, "7-bit"), ("cuda", 4096, "32-true")])
def test_absent_hardware_is_refused(choice):
    with pytest.raises(CamproError, match="hardware that is present"):
        make_fabric(*choice)


def test_every_generator_is_seeded():
    def draw():
        seed_everything(3)
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    assert draw() == draw()
    with pytest.raises(CamproError, match="seed"):
        seed_everything(-1)


def test_active_waiting_is_limited_unless_the_user_set_it(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "")  # so that the variable is restored after the test
    monkeypatch.delenv("GOMP_SPINCOUNT")
    disable_busy_waiting()
    assert int(os.environ["GOMP_SPINCOUNT"]) < 300_000  # the default of GNU's OpenMP
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    disable_busy_waiting()
    assert os.environ["GOMP_SPINCOUNT"] == "7"

"""The log of a design run."""

from __future__ import annotations

import json

import torch

from campro.core.run_folder import RunFolder
from campro.design.monitor import EXAMPLE_EVERY, Monitor


def test_losses_are_logged_and_examples_are_captured_now_and_then(tmp_path):
    run = RunFolder.open(tmp_path / "run", {})
    captured = []

    def capture(raw):
        captured.append(raw)
        return 1 - raw

    monitor = Monitor(run, {"faces": torch.rand(2, 3, 8, 8)})
    for step in (1, EXAMPLE_EVERY):
        monitor.record(step, 1, {"face": 0.5}, capture)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [(one["step"], one["phase"], one["face"]) for one in lines] == [(1, 1, 0.5), (EXAMPLE_EVERY, 1, 0.5)]
    assert len(captured) == 1
    assert list((tmp_path / "run" / "tensorboard").iterdir())


def test_other_processes_log_nothing(tmp_path):
    run = RunFolder.open(tmp_path / "run", {})
    Monitor(run, {}, active=False).record(1, 1, {"face": 0.5}, lambda raw: raw)
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
    assert not (tmp_path / "run" / "tensorboard").exists()

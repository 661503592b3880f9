"""Logs of a design run: losses in metrics.jsonl and TensorBoard, example images in TensorBoard."""

from __future__ import annotations

from collections.abc import Callable

import torch

from campro.core.extras import EventLog, event_log
from campro.core.run_folder import RunFolder
from campro.core.types import Images

EXAMPLE_EVERY = 50
"""Rounds between example images."""


class Monitor:
    """Logs on the first process only.

    Args:
        run: Run folder; metrics.jsonl and tensorboard/ are written to it.
        examples: Name -> raw images (B, 3, H, W) in [0, 1] that are shown raw and captured.
        active: Whether this process logs.
    """

    def __init__(self, run: RunFolder, examples: dict[str, Images], active: bool = True) -> None:
        self.run, self.examples = run, examples
        self.board = event_log(run.path / "tensorboard") if active else None

    def record(self, step: int, phase: int, losses: dict[str, float], capture: Callable[[Images], Images]) -> None:
        """Log the losses of one round; `capture` applies the present camera pipeline to raw images."""
        if self.board is None:
            return
        self.run.log({"step": step, "phase": phase, **losses})
        for name, value in losses.items():
            self.board.add_scalar(name, value, step)
        if step % EXAMPLE_EVERY == 0:
            self._show(self.board, step, capture)

    @torch.no_grad()
    def _show(self, board: EventLog, step: int, capture: Callable[[Images], Images]) -> None:
        for name, raw in self.examples.items():
            board.add_images(f"{name}, raw over captured", torch.cat([raw, capture(raw)], dim=2), step)

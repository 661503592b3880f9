"""What a design run lets you watch: losses in metrics.jsonl and TensorBoard, a captured example now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.utils.tensorboard import SummaryWriter

from campro.core.run_folder import RunFolder
from campro.core.types import Images

if TYPE_CHECKING:
    from campro.design.game import Game

EXAMPLE_EVERY = 50  # rounds


class Monitor:
    """Writes on the first process only; `examples` are raw scenes and faces that it shows as captured."""

    def __init__(self, run: RunFolder, examples: dict[str, Images], active: bool = True) -> None:
        self.run, self.examples = run, examples
        self.board = SummaryWriter(str(run.path / "tensorboard")) if active else None

    def record(self, step: int, phase: int, game: Game, losses: dict[str, float]) -> None:
        """Log one round."""
        if self.board is None:
            return
        self.run.log({"step": step, "phase": phase, **losses})
        for name, value in losses.items():
            self.board.add_scalar(name, value, step)
        if step % EXAMPLE_EVERY == 0:
            self._show(step, game)

    @torch.no_grad()
    def _show(self, step: int, game: Game) -> None:
        assert self.board is not None
        for name, raw in self.examples.items():
            captured = game.camera(game.fabric.to_device(raw)).cpu()
            self.board.add_images(f"{name}, raw over captured", torch.cat([raw, captured], dim=2), step)

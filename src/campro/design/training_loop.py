"""The loop of a design run: train, log and save; a resumed run continues from the last save."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from campro.core.progress import Progress
from campro.core.run_folder import RunFolder
from campro.design.game import WARMUP, Game
from campro.design.monitor import Monitor
from campro.training.checkpoints import Checkpoints


def play(game: Game, run: RunFolder, monitor: Monitor) -> None:
    """Train the game to its end. The state is saved about once a minute and at the end.

    An interrupted run continues from its last save and ends with the same weights; a finished one returns at once.

    Raises:
        CamproError: If a loss is not finite.
    """
    checkpoints = Checkpoints(run)
    checkpoints.resume(partial(_load, game))
    with Progress("design", game.recipe.rounds(len(game.faces)), done=game.state.round) as progress:
        for phase, losses in game.rounds():
            monitor.record(game.state.total_rounds, phase, losses, game.capture)
            warming = phase == WARMUP
            progress.advance(0 if warming else 1, phase="warm-up" if warming else "game", **_short(losses))
            checkpoints.save_if_due(game.state_dict)
    checkpoints.save(game.state_dict())


def _load(game: Game, saved: Mapping[str, Any]) -> int:
    """Load a checkpoint; returns the rounds done."""
    game.load_state_dict(saved)
    return game.state.total_rounds


def _short(losses: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:.3f}" for name, value in losses.items()}

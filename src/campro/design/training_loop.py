"""The loop of a design run: train, log and save; a resumed run continues from the last save."""

from __future__ import annotations

import time

from campro.core.progress import Progress
from campro.core.run_folder import RunFolder
from campro.design.game import WARMUP, Game
from campro.design.monitor import Monitor

SAVE_EVERY_S = 60.0


def play(game: Game, run: RunFolder, monitor: Monitor) -> None:
    """Train the game to its end. The state is saved every `SAVE_EVERY_S` seconds and at the end.

    An interrupted run continues from its last save and ends with the same weights; a finished one returns at once.

    Raises:
        CamproError: If a loss is not finite.
    """
    saved = run.load_state()
    if saved is not None:
        game.load_state_dict(saved)
    run.rewind(game.state.total_rounds)
    last_save = time.monotonic()
    with Progress("design", game.recipe.rounds(len(game.faces)), done=game.state.round) as progress:
        for phase, losses in game.rounds():
            monitor.record(game.state.total_rounds, phase, losses, game.capture)
            warming = phase == WARMUP
            progress.advance(0 if warming else 1, phase="warm-up" if warming else "game", **_short(losses))
            if time.monotonic() - last_save > SAVE_EVERY_S:
                run.save_state(game.state_dict())
                last_save = time.monotonic()
    run.save_state(game.state_dict())


def _short(losses: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:.3f}" for name, value in losses.items()}

"""Periodic saves of a training in its run folder, and how a training is resumed from the last one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from campro.core.run_folder import RunFolder

SAVE_EVERY_S = 60.0
"""Least time between two saves, in seconds."""


State = Mapping[str, Any]


class PeriodicSaves:
    """Saves the state of a training about once a minute."""

    def __init__(self, write: Callable[[State], None]) -> None:
        self._write, self._last = write, time.monotonic()

    def save(self, state: State) -> None:
        """Replace the last save."""
        self._write(state)
        self._last = time.monotonic()

    def save_if_due(self, state: Callable[[], State]) -> None:
        """Save if the last save is more than `SAVE_EVERY_S` seconds ago; `state` is called only then."""
        if time.monotonic() - self._last > SAVE_EVERY_S:
            self.save(state())


class Checkpoints(PeriodicSaves):
    """Saves in a run folder."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__(run.save_state)
        self._run = run

    def resume(self, load: Callable[[State], int]) -> int:
        """Continue from the last save and drop later lines of the log.

        Args:
            load: loads a saved state and returns the steps done until then.

        Returns:
            Steps done; 0 if nothing was saved.

        Raises:
            CamproError: if the saved state is damaged; see `RunFolder.load_state`.
        """
        saved = self._run.load_state()
        done = 0 if saved is None else load(saved)
        self._run.rewind(done)
        return done

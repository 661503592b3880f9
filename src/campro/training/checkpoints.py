"""Periodic saves of a training in its run folder, and how a training is resumed from the last one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from campro.core.run_folder import RunFolder

SAVE_EVERY_S = 60.0
"""Least time between two saves, in seconds."""


class Checkpoints:
    """Saves the state of a training about once a minute."""

    def __init__(self, run: RunFolder) -> None:
        self._run, self._last = run, time.monotonic()

    def resume(self, load: Callable[[Mapping[str, Any]], int]) -> int:
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

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the last save."""
        self._run.save_state(state)
        self._last = time.monotonic()

    def save_if_due(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Save if the last save is more than `SAVE_EVERY_S` seconds ago; `state` is called only then."""
        if time.monotonic() - self._last > SAVE_EVERY_S:
            self.save(state())

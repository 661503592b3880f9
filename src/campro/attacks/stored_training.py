"""Trainings of attacks in the cache folder: an interrupted one goes on, and a finished one is not repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from campro.core.cache_file import unless_read_only
from campro.core.catalogue import cache_root
from campro.core.hashing import json_digest
from campro.core.provenance import current_origin
from campro.core.run_folder import Json
from campro.core.state_file import read_state, write_state
from campro.training import checkpoints
from campro.training.checkpoints import PeriodicSaves, State

FOLDER = "trained attacks"


class StoredTraining(PeriodicSaves):
    """The file of one training; trainings of less than a minute are not stored.

    Its name depends on the commit and on the libraries: figures of one commit never come from networks of another
    one. With uncommitted changes, whose code has no name, nothing is stored or used.
    """

    def __init__(self, file: Path | None) -> None:
        super().__init__(self._store)
        self._file, self._start = file, time.monotonic()
        self.earlier_s = 0.0
        """Seconds that earlier processes trained."""

    @staticmethod
    def of(key: Callable[[], Sequence[Json]] | None) -> StoredTraining:
        """The training that `key` names, which is called where something is stored; None: it is not stored."""
        origin = current_origin()
        if key is None or origin.dirty:
            return StoredTraining(None)
        digest = json_digest([origin.commit, origin.campro, dict(origin.libraries), origin.device, *key()])
        return StoredTraining(cache_root() / FOLDER / f"{digest}.pt")

    def load(self) -> dict[str, Any] | None:
        """The saved state, where there is one.

        Raises:
            CamproError: for a damaged file.
        """
        state = self._file and read_state(self._file, "delete this file and run again")
        if not state:
            return None
        self.earlier_s = float(state.pop("seconds"))
        return state

    def finish(self, state: State) -> None:
        """Replace what was saved on the way by the result, if the training took more than a minute."""
        if self._seconds > checkpoints.SAVE_EVERY_S:
            self.save(state)

    @property
    def _seconds(self) -> float:
        return self.earlier_s + time.monotonic() - self._start

    def _store(self, state: State) -> None:
        if self._file:
            unless_read_only(self._file, partial(self._write_file, self._file, state))

    def _write_file(self, file: Path, state: State) -> None:
        with suppress(OSError):  # `write_state` reports it
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # a restorer undoes the camera's protection
        write_state(file, {**state, "seconds": self._seconds})

"""How long to wait before the next attempt to connect."""

from __future__ import annotations

FIRST_S, LONGEST_S = 0.5, 30.0


class Backoff:
    """Seconds to wait, doubled after each failure.

    >>> wait = Backoff()
    >>> [wait.next() for _ in range(8)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    >>> wait.reset(), wait.next()
    (None, 0.5)
    """

    def __init__(self) -> None:
        self._seconds = FIRST_S

    def next(self) -> float:
        """Seconds until the next attempt."""
        seconds, self._seconds = self._seconds, min(2 * self._seconds, LONGEST_S)
        return seconds

    def reset(self) -> None:
        """After a success."""
        self._seconds = FIRST_S

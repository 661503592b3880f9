"""The error class whose messages are written for users."""

from __future__ import annotations


class CamproError(ValueError):
    """Wrong input, with a message of one line.

    Args:
        where: the function, file or option that the error is about.
        expected: what the input should be.
        got: what the input is.
        remedy: what the user can do; may be empty.

    >>> print(CamproError("faces", "a folder per person", "an empty folder", "pass --faces DIR"))
    faces: expected a folder per person, got an empty folder; pass --faces DIR
    >>> print(CamproError("base", "a number", "[\\n0"))
    base: expected a number, got [ 0
    """

    def __init__(self, where: str, expected: str, got: str, remedy: str = "") -> None:
        message = f"{where}: expected {expected}, got {got}" + (f"; {remedy}" if remedy else "")
        super().__init__(" ".join(message.splitlines()))  # what was got may hold line breaks

    def within(self, place: str) -> CamproError:
        """The same error with `place` in front of the message."""
        other = CamproError.__new__(CamproError)
        ValueError.__init__(other, f"{place}: {self}")
        return other

    def renamed(self, where: str, place: str) -> CamproError:
        """The same error about `place` instead of `where`; unchanged if it is about something else."""
        text = str(self)
        if not text.startswith(f"{where}: "):
            return self
        other = CamproError.__new__(CamproError)
        ValueError.__init__(other, place + text[len(where) :])
        return other

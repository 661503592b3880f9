"""The one kind of error a user is meant to read."""

from __future__ import annotations


class CamproError(ValueError):
    """Bad input, said in one line: who complains, what it wanted, what it got, and how to mend it.

    >>> print(CamproError("faces", "a folder per person", "an empty folder", "pass --faces DIR"))
    faces: expected a folder per person, got an empty folder; pass --faces DIR
    """

    def __init__(self, who: str, wanted: str, got: str, remedy: str = "") -> None:
        super().__init__(f"{who}: expected {wanted}, got {got}" + (f"; {remedy}" if remedy else ""))

    def within(self, place: str) -> CamproError:
        """The same complaint, with the place where it arose in front."""
        other = CamproError.__new__(CamproError)
        ValueError.__init__(other, f"{place}: {self}")
        return other

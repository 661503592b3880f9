"""Progress of long work: a bar at a terminal, plain lines in log files."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

T = TypeVar("T")
PLAIN_LINE_SECONDS = 30.0
"""Time between two lines where stderr is not a terminal."""
FIRST_LINE_SECONDS = 2.0
"""Time until the first of them."""
_quiet = False


def be_quiet(quiet: bool) -> None:
    """Whether progress and notes are left out from now on (`campro --quiet`)."""
    global _quiet
    _quiet = quiet


def note(text: str) -> None:
    """Print one line about the course of work on stderr, unless `be_quiet` left such lines out."""
    if not _quiet:
        print(text, file=sys.stderr, flush=True)


class Progress:
    """A bar on stderr with named texts; if stderr is not a terminal, one line after 2 seconds and every 30 seconds.

    with Progress("design", total=steps) as progress:
        progress.advance(loss="0.31", rank1="0.02")
    """

    def __init__(self, description: str, total: int | None = None, done: int = 0) -> None:
        self.description, self.total, self.done = description, total, done
        self._texts: dict[str, str] = {}
        self._printed = ""
        console = Console(stderr=True)
        self._bar = self._make_bar(console) if console.is_terminal and not _quiet else None
        self._task = TaskID(0)
        if self._bar is not None:
            self._task = self._bar.add_task(description, total=total, completed=done, texts="")
        self._next_line = time.monotonic() + FIRST_LINE_SECONDS

    @staticmethod
    def _make_bar(console: Console) -> RichProgress:
        layout = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        return RichProgress(*layout, TextColumn("{task.fields[texts]}"), console=console)

    def advance(self, steps: int = 1, **texts: object) -> None:
        """Add `steps` to the steps done, and update the texts."""
        self._texts |= {name: str(value) for name, value in texts.items()}
        self.reach(self.done + steps)

    def reach(self, done: int, total: int | None = None) -> None:
        """Set the number of steps done, and the total if it was unknown before."""
        self.done, self.total = done, total or self.total
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self.total, texts=self._tail())
        elif time.monotonic() >= self._next_line:
            self._print_line()

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self.done or (kind is None and self.total != 0):
            self._print_line()

    def _tail(self) -> str:
        return "  ".join(f"{name} {text}" for name, text in self._texts.items())

    def _print_line(self) -> None:
        self._next_line = time.monotonic() + PLAIN_LINE_SECONDS
        count = f"{self.done}/{self.total}" if self.total is not None else str(self.done)
        line = f"{self.description}: {count}  {self._tail()}".rstrip()
        if line != self._printed:  # the last step may just have been printed
            note(line)
        self._printed = line


def track(iterable: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield from `iterable` and show the progress; `total` defaults to its length if it has one."""
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with Progress(description, total) as progress:
        for item in iterable:
            yield item
            progress.advance()

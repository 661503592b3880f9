"""Work on the next item in another thread while the present one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
    """Each item with what the function makes of it, in order; never more than one ahead, so memory stays constant.

    An error of the function is raised where its result would have come.
    """
    waiting: tuple[Item, Future[Result]] | None = None
    with ThreadPoolExecutor(1) as other:
        for item in items:
            coming = item, other.submit(function, item)
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = coming
        if waiting is not None:
            yield waiting[0], waiting[1].result()

"""Compute the result for the next item in another thread while the current one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
    """Yield (item, function(item)) in order; at most one result is computed in advance.

    An error of the function is raised in place of its result.

    >>> list(prefetch(abs, [-1, 2]))
    [(-1, 1), (2, 2)]
    """
    pending: tuple[Item, Future[Result]] | None = None
    with ThreadPoolExecutor(1) as executor:
        for item in items:
            submitted = item, executor.submit(function, item)
            if pending is not None:
                yield pending[0], pending[1].result()
            pending = submitted
        if pending is not None:
            yield pending[0], pending[1].result()

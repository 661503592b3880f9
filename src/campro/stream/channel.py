"""A short queue between two threads that drops old frames instead of letting them wait."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")
MOST_ITEMS = 512
"""Items of both kinds that a channel holds before `put` waits."""


class Channel(Generic[Item]):
    """At most `length` items that may be dropped, and any that may not.

    >>> channel = Channel[int](length=2, live=True)
    >>> [channel.put(item) for item in (1, 2, 3)], channel.get(), channel.get()
    ([0, 0, 1], 2, 3)
    """

    def __init__(self, length: int, live: bool) -> None:
        """If `live`, `put` drops the oldest droppable item of a full channel; else it waits for a free place."""
        self._length, self._live, self._items, self._closed = length, live, deque[tuple[Item, bool]](), False
        self._droppable = 0
        self._changed = Condition()

    def put(self, item: Item, droppable: bool = True) -> int:
        """Append an item.

        Returns:
            Number of items dropped for it, 0 or 1; the item itself is dropped if the channel is closed.
        """
        with self._changed:
            dropped = 0
            if droppable:
                if self._live and self._droppable >= self._length:
                    self._items.remove(next(entry for entry in self._items if entry[1]))
                    self._droppable -= 1
                    dropped = 1
                self._changed.wait_for(lambda: self._closed or self._droppable < self._length)
            else:
                self._changed.wait_for(lambda: self._closed or len(self._items) < MOST_ITEMS)
            if self._closed:
                return 1
            self._items.append((item, droppable))
            self._droppable += droppable
            self._changed.notify_all()
            return dropped

    def get(self, timeout: float | None = None) -> Item | None:
        """The oldest item; None after `timeout` seconds without one, or if the channel is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            if not self._items:
                return None
            item, droppable = self._items.popleft()
            self._droppable -= droppable
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """No more items are accepted; those in the channel can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether it is closed and empty."""
        with self._changed:
            return self._closed and not self._items

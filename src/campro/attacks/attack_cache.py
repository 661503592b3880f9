"""Intermediate results that several runs of attacks share, kept in memory under explicit keys."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal, TypeVar, cast

Kind = Literal[
    "training crops",
    "teacher embeddings",
    "colour map",
    "colour prior",
    "per-pixel inverse",
    "neighbourhood inverse",
    "distilled copy",
    "restorer",
    "raw galleries",
    "restored crops",
]
Value = TypeVar("Value")

LIMITS: Mapping[Kind, int] = {
    "training crops": 1,  # up to some hundred megabytes
    "teacher embeddings": 1,
    "colour map": 3,  # one of each kind of map
    "colour prior": 1,
    "per-pixel inverse": 1,  # 64 megabytes
    "neighbourhood inverse": 1,
    "distilled copy": 10,  # all settings of the full budget, plain and behind one transform
    "restorer": 10,
    "restored crops": 256,  # batches of 32: 300 megabytes
    "raw galleries": 8,  # of one recogniser at each density
}
"""Entries of each kind that are kept at most."""


class AttackCache:
    """Least recently used results, by kind and key.

    A key states all that the value depends on, as text and numbers: as a rule the digest of the attacker's
    knowledge, then the settings of the run. Whoever evaluates attacks makes one cache and passes it to their runs.
    """

    def __init__(self, limits: Mapping[Kind, int] = LIMITS) -> None:
        self._limits = limits
        self._entries: dict[Kind, OrderedDict[Hashable, Any]] = {}

    def get(self, kind: Kind, key: tuple[Hashable, ...], compute: Callable[[], Value]) -> Value:
        """The value under this key; it is computed if it is not there.

        `compute` may use the cache itself. If it raises, nothing is kept.
        """
        entries = self._entries.setdefault(kind, OrderedDict())
        if key not in entries:
            entries[key] = compute()
            while len(entries) > self._limits[kind]:
                entries.popitem(last=False)
        entries.move_to_end(key)
        return cast(Value, entries[key])

    def __len__(self) -> int:
        """Number of entries of all kinds."""
        return sum(map(len, self._entries.values()))

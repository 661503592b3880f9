"""Frozen dataclasses from JSON and back; what does not fit the declared types is refused by name."""

from __future__ import annotations

import dataclasses
import math
import os
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from campro.core.errors import CamproError

T = TypeVar("T")


def as_plain(value: Any) -> Any:
    """Plain JSON values: dataclasses become dictionaries, paths become text, tuples become lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(item) for item in value]
    return str(value) if isinstance(value, os.PathLike) else value


def from_json(kind: type[T], value: Any, place: str) -> T:
    """An object of a dataclass (or plain type) from parsed JSON; the inverse of `as_plain`.

    Known types: dataclasses, `tuple[X, ...]`, `dict[str, X]`, `X | None`, `Literal`, bool, int, float (finite) and
    str. Fields with a default may be missing; unknown fields are refused.

    Args:
        kind: the wanted type.
        value: parsed JSON.
        place: where the value stands, for the error.

    Raises:
        CamproError: naming the place, the wanted type and what was there.

    >>> from_json(tuple[int, ...], [1, 2], "sizes")
    (1, 2)
    """
    result: T = _convert(kind, value, place)
    return result


def _convert(kind: Any, value: Any, place: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (kind,) = [one for one in inner if one is not type(None)]
        return _convert(kind, value, place)
    if origin is Literal and value in inner:
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(inner[0], item, f"{place}[{number}]") for number, item in enumerate(value))
    if origin is dict and isinstance(value, Mapping):
        return {name: _convert(inner[1], item, f"{place}.{name}") for name, item in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return _dataclass(kind, value, place)
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if kind in (bool, int, str) and type(value) is kind:
        return value
    wanted = getattr(kind, "__name__", str(kind))
    raise CamproError(place, wanted, repr(value)[:80], "the file is damaged or of another version")


def _dataclass(kind: Any, value: Mapping[str, Any], place: str) -> Any:
    hints, fields = _hints(kind), {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(set(value) - set(fields)):
        raise CamproError(place, f"fields of {kind.__name__}", ", ".join(unknown))
    required = {
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if missing := sorted(required - set(value)):
        raise CamproError(place, f"{', '.join(missing)} of {kind.__name__}", "nothing")
    return kind(**{name: _convert(hints[name], item, f"{place}.{name}") for name, item in value.items()})


_hints = cache(get_type_hints)
"""Types of the fields of a dataclass; evaluating them takes most of the time of a conversion."""

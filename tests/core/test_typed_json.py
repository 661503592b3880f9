from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.core.typed_json import as_plain, from_json


@dataclass(frozen=True)
class Inner:
    share: float
    name: str | None = None


@dataclass(frozen=True)
class Outer:
    inner: dict[str, Inner]
    sizes: tuple[int, ...]
    kind: Literal["a", "b"] = "a"
    nested: tuple[tuple[float, ...], ...] = ()


FINITE = st.floats(allow_nan=False, allow_infinity=False)
INNER = st.builds(Inner, FINITE, st.none() | st.text())
OUTER = st.builds(
    Outer,
    st.dictionaries(st.text(), INNER),
    st.lists(st.integers()).map(tuple),
    st.sampled_from(["a", "b"]),
    st.lists(st.lists(FINITE).map(tuple)).map(tuple),
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(OUTER)
def test_round_trip(value):
    assert from_json(Outer, json.loads(json.dumps(as_plain(value))), "x") == value


@given(ANY)
def test_anything_else_is_a_clear_error(value):
    try:
        assert isinstance(from_json(Outer, value, "x"), Outer)
    except CamproError as error:
        assert str(error).startswith("x")


@pytest.mark.parametrize(
    "value, complaint",
    [
        ({"share": float("nan")}, "x.share: expected float"),
        ({"share": True}, "x.share: expected float"),
        ({"share": 1, "extra": 2}, "extra"),
        ({}, "share of Inner, got nothing"),
        ({"share": 1, "name": 3}, "x.name: expected str"),
    ],
)
def test_the_place_and_the_fault_are_named(value, complaint):
    with pytest.raises(CamproError, match=complaint):
        from_json(Inner, value, "x")

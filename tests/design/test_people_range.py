"""`--range-people`: densities and heights in pixels, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.design.design_config import DesignConfig
from campro.design.people_range import PeopleRange


def test_densities_and_heights_by_hand():
    people = PeopleRange.parse("1.7m@25..100")
    assert people.densities == (25, 50, 100)
    assert people.pixels == (42.5, 170)
    assert DesignConfig(range_people="1.7m@25..100").densities == (25, 50, 100)
    assert DesignConfig(range_people="1.7m@25..100", densities=(30,)).densities == (30,)


@pytest.mark.parametrize("text", ["", "1.7m", "1.7m@250..25", "0m@25..250", "1.7@0..5", "1..7m@2..3", "4m@25..250"])
def test_others_are_refused(text):
    with pytest.raises(CamproError, match=r"1\.7m@25\.\.250"):
        PeopleRange.parse(text)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text):
    try:
        low, middle, high = PeopleRange.parse(text).densities
    except CamproError:
        return
    assert low <= middle <= high

"""Work side by side gives what one after the other does."""

from __future__ import annotations

import sys
from functools import partial

import pytest

from campro.audit.fan_out import fan_out
from campro.core.errors import CamproError

TASKS = [3, 1, 2]


def power(exponent: int, task: int) -> int:
    return task**exponent


def test_one_after_the_other():
    assert list(fan_out(partial(power, 2), TASKS, None)) == [(3, 9), (1, 1), (2, 4)]


@pytest.mark.slow
def test_a_local_cluster():
    assert dict(fan_out(partial(power, 2), TASKS, "local")) == {3: 9, 1: 1, 2: 4}


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CamproError, match=r"campro\[cluster\]"):
        list(fan_out(partial(power, 2), TASKS, "local"))

"""The next item is worked on while the present one is used, and only that one."""

import threading

import pytest

from campro.core.prefetch import prefetch


def test_order_and_how_far_ahead():
    started = []

    def double(item):
        started.append((item, threading.current_thread() is threading.main_thread()))
        return 2 * item

    found = []
    for item, result in prefetch(double, range(5)):
        found.append((item, result))
        assert len(started) <= item + 2
    assert found == [(item, 2 * item) for item in range(5)]
    assert not any(main for _, main in started)
    assert list(prefetch(double, [])) == []


def test_an_error_comes_in_its_turn():
    found = []
    with pytest.raises(ZeroDivisionError):
        for _, result in prefetch(lambda item: 6 // item, [3, 2, 0, 1]):
            found.append(result)
    assert found == [2, 3]

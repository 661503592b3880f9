"""Only the next result is computed in advance, in another thread."""

import threading

import pytest

from campro.core.prefetch import prefetch


def test_results_are_in_order_and_at_most_one_is_computed_in_advance():
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


def test_an_error_is_raised_in_place_of_its_result():
    found = []
    with pytest.raises(ZeroDivisionError):
        for _, result in prefetch(lambda item: 6 // item, [3, 2, 0, 1]):
            found.append(result)
    assert found == [2, 3]

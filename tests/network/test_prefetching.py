import threading
import time

import pytest

from voicelstm.network._prefetching import prefetched


def test_results_come_in_order_and_two_are_worked_on_ahead():
    begun = []

    def square(number):
        begun.append(number)
        return number**2

    results = prefetched(square, range(100))
    assert begun == []
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    deadline = time.monotonic() + 10
    while len(begun) < 7 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert begun == [0, 1, 2, 3, 4, 5, 6]
    results.close()
    assert list(prefetched(square, range(4))) == [0, 1, 4, 9]
    assert list(prefetched(square, [])) == []


def test_an_error_is_raised_where_its_result_was_due():
    results = prefetched(lambda number: 1 / number, [2, 1, 0, 4])
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_no_thread_is_left_whether_the_results_are_used_up_or_given_up():
    before = threading.active_count()
    list(prefetched(abs, range(9)))
    given_up = prefetched(abs, range(9))
    next(given_up)
    assert threading.active_count() == before + 1
    given_up.close()
    assert threading.active_count() == before

import threading
import warnings

import pytest

from voicelstm.features._thread_warnings import warnings_of_this_thread


def test_each_thread_gets_its_own_and_nothing_of_it_stays():
    filters, show = warnings.filters.copy(), warnings.showwarning
    all_in, some_out = threading.Barrier(8, timeout=20), threading.Barrier(4, timeout=20)
    found = {}

    def work(number):
        with warnings_of_this_thread() as caught:
            all_in.wait()
            if number % 2:
                warnings.warn(f"early {number}", UserWarning, stacklevel=1)
        if number % 2 == 0:  # begun again, while others have left
            some_out.wait()
            with warnings_of_this_thread() as again:
                for _ in range(3):
                    warnings.warn(f"late {number}", UserWarning, stacklevel=1)
            caught += again
        found[number] = [str(each) for each in caught]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [f"early {n}"] if n % 2 else [f"late {n}"] * 3 for n in range(8)}
    assert (warnings.filters, warnings.showwarning) == (filters, show)


def test_a_thread_that_does_not_catch_warns_as_before():
    begun, warned, heard = threading.Event(), threading.Event(), []

    def work():
        with warnings_of_this_thread() as caught:
            begun.set()
            assert warned.wait(20)
        heard.extend(caught)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(20)
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)
    warned.set()
    thread.join()
    assert heard == []


def test_an_error_passes_and_ends_the_catching():
    show = warnings.showwarning
    with pytest.raises(ZeroDivisionError), warnings_of_this_thread():
        raise ZeroDivisionError
    assert warnings.showwarning is show

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import keras
import numpy as np
import pytest
from tensorflow.core.config import flags
from tensorflow.python.eager import context

from voicelstm import LSTMVoiceClassifier, _compat
from voicelstm.exceptions import VoiceLSTMWarning
from voicelstm.network._tensorflow_memory import clear_kernel_cache, suppress_graph_publishing

if keras.backend.backend() != "tensorflow":
    pytest.skip("the others leave TensorFlow's flags and kernels alone", allow_module_level=True)


def published():
    return flags.config().publish_function_graphs.value()


@pytest.fixture(params=[True, False], ids=["published", "unpublished"])
def before(request):
    """What the process has chosen itself."""
    flag = flags.config().publish_function_graphs
    was = flag.value()
    flag.reset(request.param)
    yield request.param
    flag.reset(was)


def test_the_last_of_several_leaves_it_as_the_first_found_it(before):
    with ExitStack() as first:
        first.enter_context(suppress_graph_publishing())
        with suppress_graph_publishing():
            first.close()  # of two threads, the first to come may be the first to go
            assert not published()
        assert published() is before


def test_an_error_leaves_it_so_too(before):
    with pytest.raises(ZeroDivisionError), suppress_graph_publishing():
        raise ZeroDivisionError
    assert published() is before


def test_a_tensorflow_that_has_no_such_flag_is_left_alone_with_a_warning(monkeypatch):
    monkeypatch.setattr(flags, "config", object)
    _compat._warn.cache_clear()
    with (
        pytest.warns(VoiceLSTMWarning, match="publish_function_graphs"),
        pytest.raises(ZeroDivisionError) as caught,
        suppress_graph_publishing(),
    ):
        raise ZeroDivisionError
    assert caught.value.__context__ is None


def test_no_graph_is_published_during_a_fit():
    seen = []

    def look():
        return keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(published()))

    LSTMVoiceClassifier(units=(2,), max_epochs=2, callbacks=[look], random_state=0).fit(
        [[[0.0]], [[1.0]]] * 4, [0, 1] * 4
    )
    assert seen == [False, False]
    assert published()


def test_kernels_may_be_dropped_while_predictions_run(small_detector, small_voices, monkeypatch):
    X = small_voices[1][0][:4]
    expected = small_detector.predict_proba(X)
    n_dropped, clear = [], context.context().clear_kernel_cache
    monkeypatch.setattr(context.context(), "clear_kernel_cache", lambda: n_dropped.append(clear()))
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(small_detector.predict_proba, X) for _ in range(20)]
        while not all(each.done() for each in asked):
            clear_kernel_cache()
    assert len(n_dropped) > len(asked)
    for each in asked:
        np.testing.assert_array_equal(each.result(), expected)

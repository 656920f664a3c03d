from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from tensorflow.core.config import flags

from voicelstm import LSTMVoiceClassifier
from voicelstm.tensorflow_memory import forget_kernels, unpublished_graphs


def published():
    return flags.config().publish_function_graphs.value()


def test_graphs_are_published_again_after_the_last_of_several_is_done():
    first, second = unpublished_graphs(), unpublished_graphs()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)  # of two threads, the first to come may be the first to go
    assert not published()
    second.__exit__(None, None, None)
    assert published()
    with pytest.raises(ZeroDivisionError), unpublished_graphs():
        raise ZeroDivisionError
    assert published()


def test_what_the_process_has_chosen_is_left_as_it_was():
    flag = flags.config().publish_function_graphs
    flag.reset(False)
    try:
        with unpublished_graphs():
            pass
        assert not published()
    finally:
        flag.reset(True)


def test_no_graph_is_published_during_a_fit():
    seen = []

    def look():
        return keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(published()))

    LSTMVoiceClassifier(units=(2,), max_epochs=2, callbacks=[look], random_state=0).fit(
        [[[0.0]], [[1.0]]] * 4, [0, 1] * 4
    )
    assert seen == [False, False]
    assert published()


def test_kernels_may_be_dropped_while_predictions_run(small_detector, small_voices):
    X = small_voices[1][0][:4]
    expected = small_detector.predict_proba(X)
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(small_detector.predict_proba, X) for _ in range(20)]
        n_dropped = 0
        while not all(each.done() for each in asked):
            forget_kernels()
            n_dropped += 1
    assert n_dropped > len(asked)
    for each in asked:
        np.testing.assert_array_equal(each.result(), expected)

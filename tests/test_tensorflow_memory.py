import keras
import pytest
from tensorflow.core.config import flags

from voicelstm import LSTMVoiceClassifier
from voicelstm.tensorflow_memory import unpublished_graphs


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

"""One fitted detector, asked from many threads and from other processes."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from joblib import Parallel, delayed

from voicelstm import score_timeline


def test_eight_threads_get_what_one_gets(small_detector, small_voices):
    (recordings, _), (others, _) = small_voices
    asked = [*recordings[:8], *others[:8]]
    alone = {
        "transform": [small_detector[:-1].transform([each])[0] for each in asked],
        "predict_proba": [small_detector.predict_proba([each])[0] for each in asked],
        "timeline": [score_timeline(small_detector, [each])[0]["score"] for each in asked],
    }

    def ask(position):
        one = [asked[position]]
        return position, {
            "transform": small_detector[:-1].transform(one)[0],
            "predict_proba": small_detector.predict_proba(one)[0],
            "timeline": score_timeline(small_detector, one)[0]["score"],
        }

    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(ask, np.random.default_rng(0).permutation(np.repeat(range(len(asked)), 3)))
        )
    assert {position for position, _ in answers} == set(range(len(asked)))
    for position, found in answers:
        for name, values in found.items():
            np.testing.assert_array_equal(values, alone[name][position])


# By day, test_model_selection has processes of loky that fit and score.
@pytest.mark.nightly
@pytest.mark.parametrize("how", ["spawn", "loky"])
def test_another_process_gives_the_same(how, small_detector, small_voices):
    (recordings, _), _ = small_voices
    if how == "spawn":
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
            found = processes.submit(small_detector.predict_proba, recordings).result()
    else:
        (found,) = Parallel(n_jobs=2, backend="loky")([delayed(small_detector.predict_proba)(recordings)])
    np.testing.assert_allclose(found, small_detector.predict_proba(recordings), atol=1e-7)

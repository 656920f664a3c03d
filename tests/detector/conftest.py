import numpy as np
import pytest

from voicelstm import (
    make_detector,
)
from voicelstm.datasets import make_voices


@pytest.fixture(scope="module")
def voices():
    return make_voices(30, random_state=0)


@pytest.fixture(scope="module")
def detector(voices):
    return make_detector(random_state=0, classifier__max_steps=20).fit(voices.recordings, voices.target)


@pytest.fixture(scope="module")
def many():
    random = np.random.default_rng(0)
    y = np.repeat(["human", "synthetic"], 100)
    speaker = np.array([f"{index % 10}" for index in range(100)] + [f"{index % 20}" for index in range(100)])
    own = 2 * random.standard_normal((20, 2))[speaker.astype(int), (y == "human").astype(int)]
    return random.standard_normal(200) + own + (y == "human"), y, speaker

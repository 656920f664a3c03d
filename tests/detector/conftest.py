import numpy as np
import pytest


@pytest.fixture(scope="module")
def many():
    """Scores in favour of human, labels and speakers of 200 clips."""
    random = np.random.default_rng(0)
    y = np.repeat(["human", "synthetic"], 100)
    speaker = np.array([f"{index % 10}" for index in range(100)] + [f"{index % 20}" for index in range(100)])
    own = 2 * random.standard_normal((20, 2))[speaker.astype(int), (y == "human").astype(int)]
    return random.standard_normal(200) + own + (y == "human"), y, speaker

import numpy as np
import pytest

from tests.classifier.fits import clips_of, small


@pytest.fixture(scope="module")
def binary():
    X, y = clips_of(30)
    labels = np.array(["human", "synthetic"])[y]
    return small().fit(X, labels), X, labels

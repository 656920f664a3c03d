import matplotlib as mpl
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

mpl.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def settings_stay_and_figures_go():
    before = dict(plt.rcParams)
    yield
    plt.close("all")
    assert dict(plt.rcParams) == before


@pytest.fixture(scope="module")
def plain():
    """A detector of one number per clip, whose log-odds of synthetic are that number's double."""
    detector = LogisticRegression().fit([[-1.0], [1.0]], ["human", "synthetic"])
    detector.coef_, detector.intercept_ = np.array([[2.0]]), np.array([0.0])
    return detector

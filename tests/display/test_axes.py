import builtins
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.display.drawn import SCORE, Y
from voicelstm.display import DetectionErrorDisplay, ReliabilityDisplay, ScoreDistributionDisplay
from voicelstm.display._axes import panels


@pytest.mark.parametrize("kind", [ScoreDistributionDisplay, DetectionErrorDisplay, ReliabilityDisplay])
def test_a_display_draws_within_the_axes_given_and_returns_itself(kind):
    figure, (left, right) = plt.subplots(1, 2)
    scores = np.linspace(0.1, 0.9, 10)
    display = kind.from_predictions(Y, scores, pos_label="human", ax=right)
    assert isinstance(display, kind)
    assert display.figure_ is figure
    assert display.ax_ is right or display.ax_ in right.child_axes
    assert not left.has_data()
    again = display.plot()
    assert again is display
    assert display.figure_ is not figure


def test_importing_loads_neither_matplotlib_nor_tensorflow():
    code = "import sys, voicelstm; voicelstm.display.CepstraDisplay; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "voicelstm.display" in loaded
    assert loaded.isdisjoint({"matplotlib", "tensorflow", "keras", "librosa"})


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    genuine = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return genuine(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "voicelstm\[plot\]"'):
        ScoreDistributionDisplay.from_predictions(Y, SCORE, pos_label="human")


def test_panels_share_the_height_as_asked_and_one_x_axis():
    figure, ax = plt.subplots()
    upper, lower = panels(ax, (3, 1), gap=0.2)
    figure.draw_without_rendering()
    whole = ax.get_position()
    edges = [[panel.get_position().y0, panel.get_position().y1] for panel in (upper, lower)]
    # Without the gap 0.8 of the height is left, four parts of 0.2.
    np.testing.assert_allclose(
        (np.array(edges) - whole.y0) / whole.height, [[0.4, 1.0], [0.0, 0.2]], atol=1e-9
    )
    upper.set_xlim(2, 5)
    assert lower.get_xlim() == (2, 5)
    assert not upper.get_xticklabels()
    assert lower.get_xticklabels()

import builtins

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.display.drawn import SCORE, Y
from voicelstm.display import DetectionErrorDisplay, ReliabilityDisplay, ScoreDistributionDisplay
from voicelstm.display._axes import axes_or_new, check_finite, panels, shown


@pytest.mark.parametrize("kind", [ScoreDistributionDisplay, DetectionErrorDisplay, ReliabilityDisplay])
def test_a_display_draws_within_the_axes_given_and_returns_itself(kind):
    figure, (left, right) = plt.subplots(1, 2)
    scores = np.linspace(0.9, 0.1, 10)
    display = kind.from_predictions(Y, scores, pos_label="human", ax=right)
    assert isinstance(display, kind)
    assert display.figure_ is figure
    assert display.ax_ is right or display.ax_ in right.child_axes
    assert not left.has_data()
    again = display.plot()
    assert again is display
    assert display.figure_ is not figure


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


def test_only_without_axes_is_a_figure_made_and_it_has_the_size_asked_for():
    figure, ax = plt.subplots(figsize=(3, 2))
    assert axes_or_new(ax, (9, 5)) is ax
    assert figure.get_size_inches().tolist() == [3, 2]
    made = axes_or_new(None, (9, 5)).figure
    assert made is not figure
    assert made.get_size_inches().tolist() == [9, 5]


def test_numbers_have_three_digits_and_the_minus_sign_of_the_ticks():
    assert [shown(value) for value in (-0.41237, 12.0, 0.000123456)] == ["−0.412", "12", "0.000123"]
    _, ax = plt.subplots()
    formatter = ax.xaxis.get_major_formatter()
    formatter.set_locs([-2, -1])
    assert shown(-1)[0] == formatter(-1)[0]


def test_what_has_no_place_in_a_picture_is_counted():
    values = check_finite("scores", [1, 2])
    assert (values.tolist(), values.dtype) == ([1.0, 2.0], np.float64)
    with pytest.raises(ValueError, match="scores holds 2 values that are NaN or infinite, of 4; expected"):
        check_finite("scores", [[np.nan, 0.0], [-np.inf, 1.0]])

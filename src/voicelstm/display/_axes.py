"""Where displays draw, and in which colours."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "COLORS",
    "HUMAN",
    "LINE_STYLES",
    "MARKERS",
    "SCORE_AXIS",
    "SYNTHETIC",
    "axes_or_new",
    "check_finite",
    "panels",
    "pyplot",
    "shown",
]

# Okabe and Ito's colours ("Color universal design", 2008), which colour-blind people tell apart. Their greys
# are alike, so that whatever differs in colour also differs in its line, marker or hatching.
HUMAN, SYNTHETIC = "#0072B2", "#D55E00"
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
LINE_STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v")

SCORE_AXIS = "score: log-odds of synthetic"


def pyplot() -> Any:
    """Import matplotlib's pyplot, or say how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "voicelstm.display draws with matplotlib, which cannot be imported. Install it:"
            ' pip install "voicelstm[plot]"'
        ) from error
    return plt


def axes_or_new(ax: Any, figsize: tuple[float, float]) -> Any:
    """Return the axes given, or those of a new figure whose size is in inches."""
    plt = pyplot()
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def shown(value: float) -> str:
    """Write a number in three digits, with the minus sign that matplotlib's ticks have."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def panels(ax: Any, heights: Sequence[float], gap: float = 0.05, *, share: bool = True) -> list[Any]:
    """Divide the place of one pair of axes: `heights` are relative, `gap` is a share of the whole height."""
    ax.set_axis_off()
    unit = (1 - gap * (len(heights) - 1)) / sum(heights)
    divided: list[Any] = []
    top = 1.0
    for height in heights:
        bottom = top - height * unit
        first = divided[0] if divided and share else None
        divided.append(ax.inset_axes([0, bottom, 1, height * unit], sharex=first))
        top = bottom - gap
    if share:
        for panel in divided[:-1]:
            panel.tick_params(labelbottom=False)
    return divided


def check_finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers as doubles; raise ValueError if one has no place in a picture, being NaN or infinite."""
    numbers = np.asarray(values, dtype=np.float64)
    wrong = int(np.count_nonzero(~np.isfinite(numbers)))
    if wrong:
        raise ValueError(
            f"{name} holds {wrong} values that are NaN or infinite, of {numbers.size}; expected finite"
            " numbers, which have a place in a picture. Leave these out, and say how many they were."
        )
    return numbers

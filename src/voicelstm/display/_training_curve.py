"""How training went, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from voicelstm.display._axes import COLORS, MARKERS, axes_or_new, panels, pyplot
from voicelstm.metrics import held_by

__all__ = ["TrainingCurveDisplay"]

_MARK = 4  # points
_STAR: dict[str, Any] = {"marker": "*", "markersize": 12, "markeredgecolor": "black"}


class TrainingCurveDisplay:
    """Loss and a metric per epoch, of one fit or of several.

    Solid lines are of the training clips, dashed ones of the clips that early stopping holds out; the epoch
    whose weights were kept for its validation loss is marked. Made by :meth:`from_estimator` or
    :meth:`from_estimators`.

    Read more in the :ref:`user guide <pictures>`.

    Parameters
    ----------
    histories : dict of str to dict of str to list of float
        Per fit its name and what its `history_` holds: "loss", the metric, and where clips were held out also
        "val_loss" and, of accuracy, "val_accuracy".
    metric : str or None, default="accuracy"
        What is drawn below the losses. None draws losses alone.

    Attributes
    ----------
    loss_lines_, val_loss_lines_, metric_lines_, val_metric_lines_ : dict of str to matplotlib.lines.Line2D
        Per fit its line, where it has one.
    best_epochs_ : dict of str to int
        Per fit with a validation loss, the first epoch, counted from 1, at which that was least: its weights
        are those that the fit kept.
    best_markers_ : dict of str to matplotlib.lines.Line2D
        Per such fit its mark.
    ax_ : matplotlib.axes.Axes
        Epochs against losses.
    metric_ax_ : matplotlib.axes.Axes or None
        Epochs against the metric.
    figure_ : matplotlib.figure.Figure
        The figure of `ax_`.

    See Also
    --------
    voicelstm.LSTMVoiceClassifier : Its `early_stopping` makes validation losses.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from voicelstm.display import TrainingCurveDisplay
    >>> history = {"loss": [0.7, 0.5, 0.4], "val_loss": [0.7, 0.6, 0.65]}
    >>> TrainingCurveDisplay({"64 units": history}, metric=None).plot().best_epochs_
    {'64 units': 2}
    """

    def __init__(
        self, histories: Mapping[str, Mapping[str, Sequence[float]]], *, metric: str | None = "accuracy"
    ) -> None:
        self.histories = histories
        self.metric = metric

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        name: str | None = None,
        metric: str | None = "accuracy",
        ax: Any = None,
    ) -> Self:
        """Draw the training of one fitted estimator.

        Parameters
        ----------
        estimator : LSTMVoiceClassifier, Pipeline or wrapper
            Fitted; a Pipeline ends with the classifier, and a search, threshold, calibration or frozen
            estimator of scikit-learn's holds it.
        name : str, default=None
            Of the fit; None is the classifier's type.
        metric : str or None, default="accuracy"
            What is drawn below the losses. None draws losses alone.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingCurveDisplay
            Drawn.

        Raises
        ------
        TypeError
            Where the estimator holds no history of a training.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        classifier = _trained(estimator)
        name = type(classifier).__name__ if name is None else name
        return cls({name: classifier.history_}, metric=metric).plot(ax)

    @classmethod
    def from_estimators(cls, estimators: Any, *, metric: str | None = "accuracy", ax: Any = None) -> Self:
        """Draw the training of several fitted estimators over each other.

        Parameters
        ----------
        estimators : dict of str to estimator, or sequence of estimators
            Each as :meth:`from_estimator` takes it. A dict names them; a sequence, such as
            ``cross_validate(..., return_estimator=True)["estimator"]``, numbers them from 1.
        metric : str or None, default="accuracy"
            What is drawn below the losses. None draws losses alone.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingCurveDisplay
            Drawn.

        Raises
        ------
        TypeError
            Where an estimator holds no history of a training.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        if not isinstance(estimators, Mapping):
            estimators = {f"fit {i}": estimator for i, estimator in enumerate(estimators, start=1)}
        histories = {str(name): _trained(estimator).history_ for name, estimator in estimators.items()}
        return cls(histories, metric=metric).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure. With a metric its place is divided in two.

        Returns
        -------
        TrainingCurveDisplay
            Itself.
        """
        self._check()
        metric = self.metric
        ax = axes_or_new(ax, (6.4, 3.2 if metric is None else 4.8))
        self.metric_ax_: Any
        self.ax_, self.metric_ax_ = (ax, None) if metric is None else panels(ax, (1, 1))
        self.figure_ = ax.figure
        self.loss_lines_: dict[str, Any] = {}
        self.val_loss_lines_: dict[str, Any] = {}
        self.metric_lines_: dict[str, Any] = {}
        self.val_metric_lines_: dict[str, Any] = {}
        self.best_epochs_: dict[str, int] = {}
        self.best_markers_: dict[str, Any] = {}
        for position, (name, history) in enumerate(self.histories.items()):
            color, marker = COLORS[position % len(COLORS)], MARKERS[position % len(MARKERS)]
            style = {"color": color, "marker": marker if len(self.histories) > 1 else "", "markersize": _MARK}
            drawn = [(self.ax_, "loss", self.loss_lines_, self.val_loss_lines_)]
            if metric is not None:
                drawn.append((self.metric_ax_, metric, self.metric_lines_, self.val_metric_lines_))
            for axes, key, lines, val_lines in drawn:
                for series, line_style, kept in ((key, "-", lines), (f"val_{key}", "--", val_lines)):
                    if series in history:
                        kept[name] = _line(axes, history[series], linestyle=line_style, **style)
            if "val_loss" in history:
                self._mark_best(name, history["val_loss"], color)
        self._label()
        return self

    def _check(self) -> None:
        if not self.histories:
            raise ValueError("histories is empty; expected the history_ of at least one fit.")
        for name, history in self.histories.items():
            for key in ("loss", self.metric):
                if key is not None and not len(history.get(key, ())):
                    raise ValueError(
                        f"the history of {name!r} has no {key!r}, it has {sorted(history)}; expected a value"
                        " per epoch." + (" Set metric to one of these, or to None." if key != "loss" else "")
                    )

    def _mark_best(self, name: str, losses: Sequence[float], color: str) -> None:
        best = int(np.nanargmin(losses)) + 1
        self.best_epochs_[name] = best
        (self.best_markers_[name],) = self.ax_.plot(best, losses[best - 1], color=color, zorder=3, **_STAR)
        for axes in filter(None, (self.ax_, self.metric_ax_)):
            axes.axvline(best, color=color, linestyle=":", linewidth=1)

    def _label(self) -> None:
        self.ax_.set_ylabel("loss")
        if self.metric_ax_ is not None:
            self.metric_ax_.set_ylabel(self.metric)
        bottom = self.ax_ if self.metric_ax_ is None else self.metric_ax_
        bottom.set_xlabel("epoch")
        bottom.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        for axes in filter(None, (self.ax_, self.metric_ax_)):
            axes.grid(axis="y", alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        fits, kinds = self._legend_handles()
        style: dict[str, Any] = {"framealpha": 0.8, "edgecolor": "none", "fontsize": "small"}
        if not fits:
            self.ax_.legend(handles=kinds, **style)
        elif self.metric_ax_ is not None:
            self.ax_.legend(handles=fits, **style)
            self.metric_ax_.legend(handles=kinds, **style)
        else:
            self.ax_.add_artist(self.ax_.legend(handles=fits, loc="upper right", **style))
            self.ax_.legend(handles=kinds, loc="upper center", **style)

    def _legend_handles(self) -> tuple[list[Any], list[Any]]:
        """Return an entry per fit, where there are several, and one per kind of line."""
        from matplotlib.lines import Line2D

        several = len(self.histories) > 1
        fits = []
        for name, line in self.loss_lines_.items() if several else ():
            label = f"{name}, best epoch {self.best_epochs_[name]}" if name in self.best_epochs_ else name
            style: dict[str, Any] = {
                "color": line.get_color(),
                "marker": line.get_marker(),
                "markersize": _MARK,
            }
            fits.append(Line2D([], [], label=label, **style))
        color = "black" if several else COLORS[0]
        kinds = [Line2D([], [], color=color, label="training")]
        if self.val_loss_lines_:
            kinds.append(Line2D([], [], color=color, linestyle="--", label="validation"))
        if self.best_epochs_:
            label = "best epoch" if several else f"best epoch: {next(iter(self.best_epochs_.values()))}"
            kinds.append(Line2D([], [], color=color, linestyle="", label=label, **_STAR))
        return fits, kinds


def _line(axes: Any, values: Sequence[float], **style: Any) -> Any:
    epochs = np.arange(1, len(values) + 1)
    # So many marks that they touch would hide the kind of line.
    (line,) = axes.plot(epochs, values, markevery=max(1, len(values) // 10), **style)
    return line


def _trained(estimator: Any) -> Any:
    """Return the classifier within an estimator, through Pipelines and wrappers."""
    found = estimator
    # What is frozen shows the attributes of what it holds.
    while isinstance(found, FrozenEstimator) or not hasattr(found, "history_"):
        if isinstance(found, Pipeline):
            found = found[-1]
        elif len(getattr(found, "calibrated_classifiers_", ())) == 1:
            found = found.calibrated_classifiers_[0].estimator
        elif (held := held_by(found)) is not None:
            found = held
        else:
            found = getattr(found, "estimator_", getattr(found, "estimator", None))
        if found is None or isinstance(found, str):
            raise TypeError(
                f"estimator is a {type(estimator).__name__}, in which there is no history_ of a training;"
                " expected a fitted LSTMVoiceClassifier, or a Pipeline that ends with one. Is it fitted?"
            )
    return found

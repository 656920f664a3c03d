"""Callbacks of a fit: scikit-learn's, told of each epoch, and the makers of Keras's."""

from collections.abc import Callable, Sequence
from typing import Any

from voicelstm._compat import callback_context

__all__ = ["EpochTasks", "checked_callbacks"]


class EpochTasks:
    """The tasks that scikit-learn's callbacks see: the fit, and within it one task for each epoch."""

    # The classifier's `fit` must be decorated with :func:`sklearn.callback.with_callbacks`. `n_epochs` is the
    # largest number of epochs, None if it is not known yet.

    def __init__(self, classifier: Any, X: Any, y: Any, sample_weight: Any, n_epochs: int | None) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._told = {"estimator": classifier, "X": X, "y": y, "metadata": metadata}
        self._fit = callback_context(classifier, max_subtasks=n_epochs)
        self._fit.call_on_fit_task_begin(**self._told)

    def epoch_begins(self) -> None:
        """Begin an epoch's task."""
        self._epoch = self._fit.subcontext(task_name="epoch").call_on_fit_task_begin(**self._told)

    def epoch_ends(self, fitted: Callable[[], dict[str, Any]]) -> bool:
        """End the task of an epoch; return whether a callback stops the fit."""
        return self._epoch.call_on_fit_task_end(**self._told, reconstruction_attributes=fitted)

    def fit_ends(self) -> None:
        """End the task of the fit, once the classifier is fitted."""
        self._fit.call_on_fit_task_end(**self._told, reconstruction_attributes={})


def checked_callbacks(callbacks: Any) -> Sequence[Callable[[], Any]]:
    """Return the callables that each make a Keras callback, as a sequence."""
    if callbacks is None:
        return ()
    makers = (callbacks,) if callable(callbacks) else tuple(callbacks)
    for position, make in enumerate(makers):
        if not callable(make):
            raise ValueError(
                f"callbacks[{position}] is a {type(make).__name__}; expected a callable that makes one, so"
                " that clones do not share its state: lambda: keras.callbacks.TerminateOnNaN()."
            )
    return makers

"""Names of other libraries that are not public there, and so may go with any release.

Nothing is imported before it is asked for. A name that is gone raises ImportError if the work cannot be done
without it, else it warns once. ``make pre-releases`` finds either before a release of that library does.
"""

import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from voicelstm.exceptions import VoiceLSTMWarning

_Method = TypeVar("_Method", bound=Callable[..., Any])


class Private(NamedTuple):
    """A private name: its module, its path in there, and what this library does with it."""

    module: str
    path: str
    use: str
    #: What happens if the name is gone; empty if that is an error.
    otherwise: str = ""

    def find(self) -> Any:
        """Return what has the name; raise an ImportError that says what is missing if there is none."""
        import_module(self._top)  # a library that is not installed has an error of its own
        try:
            return _follow(import_module(self.module), self.path)
        except (ImportError, AttributeError) as error:
            raise self._gone() from error

    def find_on(self, owner: Any, path: str) -> Any:
        """Return an attribute of an object; raise an ImportError that says what is missing if there is none.

        An AttributeError while a model file is read would put the blame on the file.
        """
        try:
            return _follow(owner, path)
        except AttributeError as error:
            raise self._gone() from error

    def find_or_warn(self) -> Any:
        """Return what has the name; warn, once in a process, and return None if there is none."""
        import_module(self._top)
        try:
            return self.find()
        except ImportError as error:
            _warn(str(error))
            return None

    @property
    def _top(self) -> str:
        return self.module.partition(".")[0]

    def _gone(self) -> ImportError:
        name = "scikit-learn" if self._top == "sklearn" else self._top
        version = getattr(import_module(self._top), "__version__", "of unknown version")
        otherwise = f" Without it, {self.otherwise}." if self.otherwise else ""
        return ImportError(
            f"{name} {version} has no {self.module}.{self.path}, which voicelstm uses to {self.use}."
            f"{otherwise} The name is not public in {name}, and this version of voicelstm does not know what"
            f" took its place: install an earlier {name}, or a later voicelstm.",
            name=self.module,
        )


def _follow(owner: Any, path: str) -> Any:
    for part in path.split("."):
        owner = getattr(owner, part.removesuffix("()"))
        if part.endswith("()"):
            owner = owner()
    return owner


@cache
def _warn(message: str) -> None:
    warnings.warn(message, VoiceLSTMWarning, stacklevel=4)


_VALUES, _RESPONSES = "sklearn.utils._param_validation", "sklearn.utils._response"
_CHECKS, _CALIBRATION = "sklearn.utils.validation", "sklearn.calibration"
_LEGAL, _RESTORING = (
    "say which values of a parameter are legal",
    "restore a calibrated detector from a model file",
)
_DASK, _WAITS = "end a computation whose Dask workers have died", "it may wait for ever"

#: By their names here: those of the functions below; the others are imported from this module as they are.
NAMES = {
    # The legal values of parameters, of which scikit-learn makes the errors that its users know.
    "HasMethods": Private(_VALUES, "HasMethods", _LEGAL),
    "Interval": Private(_VALUES, "Interval", _LEGAL),
    "StrOptions": Private(_VALUES, "StrOptions", _LEGAL),
    "fit_context": Private("sklearn.base", "_fit_context", "check the parameters of estimators before a fit"),
    "validate_params": Private(
        "sklearn.base", "BaseEstimator._validate_params", "check an estimator's parameters"
    ),
    "validate_steps": Private(
        "sklearn.pipeline", "Pipeline._validate_steps", "check a pipeline of a model file"
    ),
    # Checks whose errors are worded as scikit-learn's own.
    "check_feature_names_in": Private(
        _CHECKS, "_check_feature_names_in", "name the features of a transformer"
    ),
    "check_response_method": Private(
        _CHECKS, "_check_response_method", "choose the method that gives scores"
    ),
    "check_sample_weight": Private(_CHECKS, "_check_sample_weight", "check weights of clips"),
    "num_samples": Private(_CHECKS, "_num_samples", "count recordings"),
    "safe_indexing": Private(
        "sklearn.utils", "_safe_indexing", "take some of the recordings, whatever holds them"
    ),
    # What a classifier, perhaps within scikit-learn's wrappers, says of clips.
    "get_response_values_binary": Private(
        _RESPONSES, "_get_response_values_binary", "read the scores of a classifier of two classes"
    ),
    "tuned_pos_label": Private(
        "sklearn.metrics._scorer",
        "_CurveScorer._get_pos_label",
        "learn which class a tuned threshold speaks for",
    ),
    # scikit-learn asks its scorers alone for predictions once, where several metrics need the same.
    "BaseScorer": Private("sklearn.metrics._scorer", "_BaseScorer", "make scorers of the metrics"),
    # What predict_proba of a fitted CalibratedClassifierCV is made of. All other model files need none of it.
    "CalibratedClassifier": Private(_CALIBRATION, "_CalibratedClassifier", _RESTORING),
    "SigmoidCalibration": Private(_CALIBRATION, "_SigmoidCalibration", _RESTORING),
    "TemperatureScaling": Private(_CALIBRATION, "_TemperatureScaling", _RESTORING),
    "callback_context": Private(
        "sklearn.callback", "CallbackSupportMixin._init_callback_context", "tell callbacks of epochs"
    ),
    # Without these, a computation waits for ever that has cost several of Dask's workers their lives.
    "active_backend": Private("joblib.parallel", "get_active_backend", _DASK, _WAITS),
    "dask_submit": Private("joblib._dask", "DaskDistributedBackend.submit", _DASK, _WAITS),
    # What TensorFlow would keep for as long as the process lives.
    "graph_publishing": Private(
        "tensorflow.core.config.flags",
        "config().publish_function_graphs",
        "keep TensorFlow from publishing graphs",
        "memory grows by tens of MiB in hundreds of fits",
    ),
    "clear_kernel_cache": Private(
        "tensorflow.python.eager.context",
        "context().clear_kernel_cache",
        "have TensorFlow drop the kernels of networks that are gone",
        "memory grows by a MiB with each network",
    ),
    "gradient_sum": Private(
        "keras.optimizers",
        "Optimizer._all_reduce_sum_gradients",
        "keep TensorFlow from holding on to the graph of each training",
        "memory grows by 3 MiB or more with each network",
    ),
    # In TensorFlow's reference, but of the raw operations that promise no more than the kernels behind them.
    "block_lstm": Private(
        "tensorflow", "raw_ops.BlockLSTM", "run LSTM layers fast on a CPU", "Keras's slower loop runs them"
    ),
    # Not in torch's reference: what torch.nn.LSTM itself calls.
    "fused_torch_lstm": Private("torch", "lstm", "run LSTM layers fast", "Keras's slower loop runs them"),
}


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return NAMES[name].find()


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[_Method], _Method]:
    """Decorate `fit` so that it checks the parameters first."""
    decorate: Callable[[_Method], _Method] = NAMES["fit_context"].find()(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return decorate


def with_callbacks(method: _Method) -> _Method:
    """Decorate `fit` so that callbacks end with it; the decorator is public, but experimental and untyped."""
    from sklearn.callback import with_callbacks as decorate

    decorated: _Method = decorate(method)
    return decorated


def callback_context(estimator: Any, *, max_subtasks: int | None) -> Any:
    """Return the context by which an estimator tells its callbacks of a fit."""
    return NAMES["callback_context"].find_on(estimator, "_init_callback_context")(max_subtasks=max_subtasks)


def validate_params(estimator: Any) -> None:
    """Raise scikit-learn's InvalidParameterError if a parameter of an estimator has no legal value."""
    NAMES["validate_params"].find_on(estimator, "_validate_params")()


def validate_steps(pipeline: Any) -> None:
    """Raise an error if two steps of a pipeline have one name, or one before the last does not transform."""
    NAMES["validate_steps"].find_on(pipeline, "_validate_steps")()


def tuned_pos_label(tuned: Any) -> Any:
    """Return the class for which the threshold of a fitted TunedThresholdClassifierCV speaks, or None."""
    return NAMES["tuned_pos_label"].find_on(tuned, "_curve_scorer._get_pos_label")()


def active_dask_backend() -> Any:
    """Return joblib's active backend if it is Dask's, else None."""
    active = NAMES["active_backend"].find_or_warn()
    if active is None:
        return None
    backend, _ = active()
    if "Dask" not in type(backend).__name__ or NAMES["dask_submit"].find_or_warn() is None:
        return None
    return backend


def graph_publishing() -> Any:
    """Return TensorFlow's flag of whether it publishes graphs, or None if it has no such flag."""
    return NAMES["graph_publishing"].find_or_warn()


def clear_kernel_cache() -> None:
    """Clear TensorFlow's kernel cache, if it can be cleared."""
    clear = NAMES["clear_kernel_cache"].find_or_warn()
    if clear is not None:
        clear()


def replace_gradient_sum(optimizer: Any, replacement: Callable[[Callable[..., Any]], Any]) -> None:
    """Replace the method by which an optimizer of Keras sums gradients, if it has that method."""
    name = "_all_reduce_sum_gradients"
    if hasattr(optimizer, name):
        setattr(optimizer, name, replacement(getattr(optimizer, name)))
        return
    import keras

    if isinstance(optimizer, keras.optimizers.Optimizer):  # not one that a user has written without Keras
        NAMES["gradient_sum"].find_or_warn()


def block_lstm() -> Any:
    """Return TensorFlow's fused LSTM, or None."""
    return NAMES["block_lstm"].find_or_warn()


def fused_torch_lstm() -> Any:
    """Return torch's fused LSTM, or None."""
    return NAMES["fused_torch_lstm"].find_or_warn()

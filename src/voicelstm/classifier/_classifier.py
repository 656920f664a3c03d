"""A Keras LSTM over sequences, as a scikit-learn classifier."""

import os
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted

from voicelstm._base import DocumentationLink
from voicelstm._compat import HasMethods, Interval, StrOptions, fit_context, validate_params, with_callbacks
from voicelstm.classifier._callbacks import EpochTasks
from voicelstm.classifier._fitted import FittedNetwork
from voicelstm.classifier._fitting import PartialFitState, fit_classifier, partial_fit_classifier
from voicelstm.metrics import check_labels
from voicelstm.sequences import SegmentBatches, SpecAugment, checked_clips

if TYPE_CHECKING:
    import keras


__all__ = ["LSTMVoiceClassifier"]

RECIPE_NETWORK: dict[str, Any] = {
    "units": (78, 78, 78, 13),
    "pooling": "last",
    "dropout": 0.0,
    "segment_frames": None,
    "standardize": False,
    "loss": "squared_error",
    "optimizer": "adam_tf1",
    "batch_size": 20,
    "shuffle": False,
    "max_steps": 600,
    "head_initializer": "truncated_normal",
    "human_label": 1,
}


class LSTMVoiceClassifier(DocumentationLink, CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Classify sequences with a Keras LSTM.

    Features are standardised over the training set, each clip is cut into segments that inherit its label,
    an LSTM reads each segment, its outputs are pooled over time, and a clip's log-odds are the mean of its
    segments', weighted by the frames each adds. Clips may have any length and are heard whole. Convolutions
    over time and frequency can come before the LSTM, and predictions can hear overlapping segments.

    Read more in the :ref:`user guide <classifier>`.

    Parameters
    ----------
    units : tuple of int, default=(64, 64)
        Width of each LSTM layer.
    convolutions : sequence of (int, int, int) or None, default=None
        Blocks of convolution over frames and features, ahead of the LSTM, each given by
        ``(n_maps, kernel_size, pool_size)``. A block convolves with square kernels to ``2 * n_maps`` maps,
        takes the larger of their two halves, keeps the maximum of ``pool_size`` frames by ``pool_size``
        features (at most 64), and normalises the batch. Neighbouring features should be neighbours in
        frequency, as the energies of filters are. The LSTM reads all maps of a frame together. A prediction
        is the mean over the frames that pooling can begin with, 16 ways at most, so that it hardly depends on
        where a clip was cut. If None, the LSTM reads the features.
    bidirectional : bool, default=False
        Whether each layer also reads the sequence backwards.
    pooling : {"mean", "max", "stats", "attention", "last"}, default="mean"
        How outputs become one vector: their mean, maximum, mean and standard deviation, attentive mean, or
        the last of them.
    dropout : float, default=0.2
        Share of each LSTM layer's outputs, and of the maps of the last convolution, that training drops.
    segment_frames : int or None, default=300
        Length of a segment. None takes each clip whole.
    segment_hop : int or None, default=None
        Frames from the start of a segment to that of the next in predictions, at most `segment_frames`.
        Segments that are less than their length apart overlap: they begin at 0, `segment_hop`,
        ``2 * segment_hop``, ... as long as they fit, a last one ends with the clip, and the clip's score is
        the plain mean of theirs. If None, segments tile the clip, and the last counts by the frames it adds.
        Training, and the validation of `early_stopping`, always tile.
    repeat_short_clips : bool, default=False
        Whether a clip shorter than `segment_frames` is repeated until it fills a segment, in training and in
        predictions. Otherwise it is a shorter segment, behind which padding never counts.
    standardize : bool, default=True
        Whether features get zero mean and unit variance over the training set's frames.
    loss : {"cross_entropy", "squared_error"}, default="cross_entropy"
        Squared error is that of the probabilities.
    optimizer : {"adam", "adam_tf1", "nadam", "rmsprop", "sgd"} or callable, default="adam"
        A name, or a callable without arguments that returns a Keras optimizer, to which `learning_rate`,
        `clip_norm` and `weight_decay` then do not apply. "adam_tf1" has TensorFlow 1's epsilon of 1e-8.
    learning_rate : float or callable, default=1e-3
        Step size; or a schedule, which is asked before training for that of each epoch: it is called with
        0, 1, ..., where `partial_fit` goes on with the number of epochs that there were. Keras's schedules,
        which count steps, are for an `optimizer` that is made by a callable.
    learning_rate_schedule : {"constant", "one_cycle"}, default="constant"
        Course of the step size over all steps of `fit`. "constant": `learning_rate` at each, or what it says
        of the epoch. "one_cycle": along half a cosine from 1/25 of `learning_rate`, a float, up to it in the
        first 30 % of the steps, and along another down to 4e-6 of it at the last (Smith and Topin, 2018).
        With early stopping the cycle is that of all `max_epochs`. It needs an `optimizer` by name, and
        `partial_fit`, which does not know how many steps will come, refuses it. What a callback sets is
        overridden at the next step.
    clip_norm : float or None, default=None
        Largest norm of all gradients together.
    weight_decay : float, default=0.0
        Decoupled weight decay per step.
    label_smoothing : float, default=0.0
        How far labels move towards even odds, for cross-entropy.
    batch_size : int, default=32
        Segments per step.
    shuffle : bool, default=True
        Whether each epoch has its own order of segments.
    sampling : {"all", "weights"}, default="all"
        Segments of an epoch of `fit`. "all": each once, and its weight weighs the loss. "weights": as many,
        drawn with a chance in proportion to their weights, which then do not weigh the loss; each batch has
        every class in proportion. Both learn the same on average. The second sees rare groups that weigh
        much, as :func:`~voicelstm.datasets.balanced_weights` makes them, as often as others. It needs
        `shuffle`.
    random_crops : bool, default=False
        Whether training begins each segment at a random frame of its clip each time. Otherwise segments tile
        the clip.
    augment : SpecAugment or None, default=None
        Equaliser and masks of the segments that training reads, drawn anew each time. Predictions and the
        clips that `early_stopping` holds out are never changed.
    max_epochs : int, default=30
        Passes over the training set.
    max_steps : int or None, default=None
        Steps in all, in place of `max_epochs`; batches then wrap around the end of the data.
    early_stopping : bool, default=False
        Whether part of the training clips decides when to stop, and the best weights are kept. Clips are
        drawn one by one; the copies in :class:`~voicelstm.sequences.AugmentedSequences` go with their clip,
        and what is held out is heard as it is. If `X` holds versions of a recording as clips of their own,
        leave it False: they would lie on both sides.
    validation_fraction : float, default=0.1
        Fraction of the training clips held out for early stopping, stratified by class.
    patience : int, default=10
        Epochs without a better validation loss before training stops.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class; "balanced" makes classes count the same.
    copy_weight : float, default=0.6
        Share of a clip's weight that its copies have together, in equal parts, where `X` is
        :class:`~voicelstm.sequences.AugmentedSequences`. A clip counts the same with copies and without.
    human_label : str, number, bool or None, default=None
        Human one of two classes; a model file keeps it. If None, it is recognised by its spelling ("human",
        "bonafide", "real", ...); of 0 and 1 it must be given, here or to each function that needs it. In a
        `VotingClassifier`, which numbers the labels itself, leave it None.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights and the standardisation it finds.
    head_initializer : {"glorot_uniform", "truncated_normal"}, default="glorot_uniform"
        First weights of the last layer; the second is the original recipe's.
    callbacks : sequence of callables, callable or None, default=None
        Each is called without arguments at each `fit` and `partial_fit`, and returns a Keras callback. If
        that has a method `set_classifier`, it is first called with a function without arguments, which
        returns the classifier as it is at that moment, fitted and a copy of its own, to be saved or asked.
        scikit-learn's own callbacks are given to `set_callbacks`; they see the fit as a task with one subtask
        per epoch.
    checkpoint : str, os.PathLike or None, default=None
        A folder, made if missing. After each epoch `fit` writes there all that an equal `fit` needs to go on
        from that epoch and end with the same weights. The file is named by a hash of parameters, data,
        `callbacks` and versions, is removed when `fit` ends, and is left alone by every other fit. Callbacks
        begin anew: one that remembers earlier epochs may lead elsewhere than without the interruption.
        Without a `random_state` no fit equals another. `partial_fit` takes no notice.
    distribution : object with a method `scope`, or None, default=None
        Devices that share each batch: a `tf.distribute.MirroredStrategy` under TensorFlow, a
        `keras.distribution.DataParallel` under JAX, whose devices may be those of several processes; torch
        has none. `batch_size` must be a multiple of their number. The result is that of one device, to
        rounding, but for what TensorFlow does on each device alone: it draws `dropout` for its own rows,
        clips its own gradients to `clip_norm`, and normalises the maps of `convolutions` over its own rows.
        Several processes each call the same methods with the same data and the same int as `random_state`.
    inference : {"auto", "numpy", "keras"}, default="auto"
        Library that computes predictions. "numpy" needs no Keras and no backend: nothing of them is imported.
        Scores differ from Keras's by rounding; those of mixed precision are computed in float32. "keras" is
        the network as it is trained. "auto": NumPy, but for what Keras is faster at, or made for: mixed
        precision, the devices of a `distribution`, and what takes NumPy seconds if there is a GPU or a layer
        of more than 128 units. If Keras cannot be imported, NumPy does these, too, but for a `distribution`.
        Training is always Keras's. A model file does not keep this parameter.
    dtype : {"float32", "float64", "mixed_bfloat16", "mixed_float16"}, default="float32"
        Keras's dtype policy for the layers.
    random_state : int, RandomState instance or None, default=None
        Of first weights, order, crops, `augment`, dropout and validation split. An int gives the same weights
        each time. No global random state is used or changed.
    verbose : {0, 1, 2}, default=0
        Keras's progress: none, a bar, or a line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    human_label_ : label
        Human one of two classes, as given or recognised; absent if it is not known or there are more classes.
    n_features_in_ : int
        Features per frame; for a 2-D array, its columns.
    n_iter_ : int
        Epochs that were run.
    history_ : dict of str to list of float
        Per epoch "loss" and "accuracy", and with early stopping "val_loss" and "val_accuracy".
    network_ : keras.Model
        The fitted network, built anew at each access.
    log_prior_odds_ : float
        For two classes, the logarithm of the weight of ``classes_[1]`` in training over that of
        ``classes_[0]``.

    See Also
    --------
    MFCCTransformer : Makes sequences of recordings.
    SpecAugment : Masks and equalises what training reads.
    make_detector : The recommended whole.

    Notes
    -----
    `X` is a 3-D array ``(n_clips, n_frames, n_features)``, a list or 1-D object array of 2-D arrays
    ``(n_frames, n_features)``, or a 2-D array ``(n_clips, n_frames)`` of sequences of one feature. Empty
    clips are left out by `fit`, with a warning that names them; their scores are NaN. From
    :class:`~voicelstm.sequences.AugmentedSequences`, `fit` and `partial_fit` learn from the copies, too;
    scores are those of the clips without their copies.

    References
    ----------
    Hochreiter, S., and Schmidhuber, J., "Long short-term memory", Neural Computation 9 (8), 1997.

    Smith, L. N., and Topin, N., "Super-convergence: very fast training of neural networks using large
    learning rates", arXiv:1708.07120, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm import LSTMVoiceClassifier
    >>> generator = np.random.default_rng(0)
    >>> X = [generator.normal(i % 2, size=(20 + i, 3)) for i in range(12)]
    >>> classifier = LSTMVoiceClassifier(units=(8,), max_epochs=20, learning_rate=0.02, random_state=0)
    >>> classifier.fit(X, ["human", "synthetic"] * 6).predict(X[:3]).tolist()
    ['human', 'synthetic', 'human']
    """

    classes_: NDArray[Any]
    history_: dict[str, list[float]]
    _fitted: FittedNetwork
    _human_label: Any
    _partial_fit_state: PartialFitState | None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "units": ["array-like"],
        "convolutions": ["array-like", None],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions({"mean", "max", "stats", "attention", "last"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "segment_frames": [Interval(Integral, 1, None, closed="left"), None],
        "segment_hop": [Interval(Integral, 1, None, closed="left"), None],
        "repeat_short_clips": ["boolean"],
        "standardize": ["boolean"],
        "loss": [StrOptions({"cross_entropy", "squared_error"})],
        "optimizer": [StrOptions({"adam", "adam_tf1", "nadam", "rmsprop", "sgd"}), callable],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), callable],
        "learning_rate_schedule": [StrOptions({"constant", "one_cycle"})],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "sampling": [StrOptions({"all", "weights"})],
        "random_crops": ["boolean"],
        "augment": [SpecAugment, None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "max_steps": [Interval(Integral, 1, None, closed="left"), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "copy_weight": [Interval(Real, 0, 1, closed="both")],
        "human_label": [str, Real, "boolean", None],
        "warm_start": ["boolean"],
        "head_initializer": [StrOptions({"glorot_uniform", "truncated_normal"})],
        "callbacks": ["array-like", callable, None],
        "checkpoint": [str, os.PathLike, None],
        "distribution": [HasMethods("scope"), None],
        "inference": [StrOptions({"auto", "numpy", "keras"})],
        "dtype": [StrOptions({"float32", "float64", "mixed_bfloat16", "mixed_float16"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        units: Sequence[int] = (64, 64),
        convolutions: Sequence[Sequence[int]] | None = None,
        bidirectional: bool = False,
        pooling: str = "mean",
        dropout: float = 0.2,
        segment_frames: int | None = 300,
        segment_hop: int | None = None,
        repeat_short_clips: bool = False,
        standardize: bool = True,
        loss: str = "cross_entropy",
        optimizer: str | Callable[[], Any] = "adam",
        learning_rate: float | Callable[[int], float] = 1e-3,
        learning_rate_schedule: str = "constant",
        clip_norm: float | None = None,
        weight_decay: float = 0.0,
        label_smoothing: float = 0.0,
        batch_size: int = 32,
        shuffle: bool = True,
        sampling: str = "all",
        random_crops: bool = False,
        augment: SpecAugment | None = None,
        max_epochs: int = 30,
        max_steps: int | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        class_weight: dict[Any, float] | str | None = None,
        copy_weight: float = 0.6,
        human_label: Any = None,
        warm_start: bool = False,
        head_initializer: str = "glorot_uniform",
        callbacks: Sequence[Callable[[], Any]] | Callable[[], Any] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        distribution: Any = None,
        inference: str = "auto",
        dtype: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.units = units
        self.convolutions = convolutions
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.dropout = dropout
        self.segment_frames = segment_frames
        self.segment_hop = segment_hop
        self.repeat_short_clips = repeat_short_clips
        self.standardize = standardize
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.clip_norm = clip_norm
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.sampling = sampling
        self.random_crops = random_crops
        self.augment = augment
        self.max_epochs = max_epochs
        self.max_steps = max_steps
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.copy_weight = copy_weight
        self.human_label = human_label
        self.warm_start = warm_start
        self.head_initializer = head_initializer
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.distribution = distribution
        self.inference = inference
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def original(cls, **changes: Any) -> Self:
        """Return the network and training of the recipe that the library grew out of.

        LSTM layers of 78, 78, 78 and 13 units over whole clips, the last state through a sigmoid,
        squared error, TensorFlow 1's Adam, 600 batches of 20 clips in file order. Of its labels, 1 and 0, the
        human one is 1; with others give `human_label`.

        Parameters
        ----------
        **changes
            Parameters that shall differ.

        Returns
        -------
        LSTMVoiceClassifier
            Not fitted.

        Examples
        --------
        >>> from voicelstm import LSTMVoiceClassifier
        >>> LSTMVoiceClassifier.original(max_steps=100).units
        (78, 78, 78, 13)
        """
        return cls(**(RECIPE_NETWORK | changes))

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from labelled sequences.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.
        y : array-like of shape (n_clips,)
            Labels, of two or more classes. Those that differ only in case, hyphens, blanks or the spelling of
            a number are refused.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip, whatever its length; only ratios matter. Clips of weight 0 are left out.

        Returns
        -------
        LSTMVoiceClassifier
            Itself.

        Raises
        ------
        TrainingError
            Where the loss is not finite. A fit that fails leaves what was fitted before.
        ValueError
            If a parameter is out of range, labels or lengths do not fit, `human_label` is none of two
            classes, or positive weights are out of the range of float32.
        OSError
            Where `checkpoint` cannot be written.
        """
        goes_on = self.warm_start and hasattr(self, "_fitted")
        n_epochs = self.max_epochs if self.max_steps is None else None
        tasks = EpochTasks(self, X, y, sample_weight, n_epochs)
        fit_classifier(self, X, y, sample_weight, tasks, goes_on=goes_on)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Make one pass over a batch of clips, going on from what was learnt before.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.
        y : array-like of shape (n_clips,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed at the first call.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip, whatever its length, taken as it is: the loss of a step is the weighted sum
            divided by `batch_size`, so that a weight means the same in every call.

        Returns
        -------
        LSTMVoiceClassifier
            Itself.
        """
        goes_on = hasattr(self, "_fitted")
        if classes is not None:
            check_labels(classes, "classes")
        if classes is None:
            if not goes_on:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            classes = self.classes_
        elif goes_on and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes={np.unique(classes)} is not the same as in the first call: {self.classes_}."
            )
        partial_fit_classifier(self, X, y, sample_weight, np.unique(classes), goes_on=goes_on)
        return self

    def decision_function(self, X: Any) -> NDArray[np.floating]:
        """Compute the scores of clips.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips,), or (n_clips, n_classes) for more than two classes
            For two classes the log-odds of ``classes_[1]``, else one logit per class; NaN for empty clips.
        """
        batches, logits = self._segment_logits(X)
        scores = batches.clip_scores(logits)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Compute the probabilities of classes.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            In the order of `classes_`; NaN for empty clips.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([expit(-scores), expit(scores)])
        return softmax(scores, axis=1)

    def predict_log_proba(self, X: Any) -> NDArray[np.floating]:
        """Compute the logarithms of the probabilities of classes, without going through 0.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            In the order of `classes_`; NaN for empty clips.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([log_expit(-scores), log_expit(scores)])
        return log_softmax(scores, axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Decide for the more probable class; for the synthetic one at even odds, if it is known.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips,)
            Labels.

        Raises
        ------
        ValueError
            Where clips are empty; it names them.
        """
        batches, logits = self._segment_logits(X)
        empty = np.flatnonzero(batches.segments.per_clip == 0)
        if len(empty):
            raise ValueError(
                f"Empty clips have no class: positions {empty.tolist()} of X. Leave them out, or ask"
                " predict_proba, which gives NaN for them."
            )
        scores = batches.clip_scores(logits)
        if scores.shape[1] > 1:
            return self.classes_[scores.argmax(axis=1)]
        # Even odds are synthetic, as wherever a score is compared with a threshold.
        second_is_synthetic = self._human_label is not None and self.classes_[0] == self._human_label
        is_second = scores[:, 0] >= 0 if second_is_synthetic else scores[:, 0] > 0
        return self.classes_[is_second.astype(int)]

    def log_likelihood_ratio(self, X: Any) -> NDArray[np.floating]:
        """Compute log-odds less those of the training classes.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips,)
            How much more probable a clip is under ``classes_[1]`` than under ``classes_[0]``, as a natural
            logarithm.

        Raises
        ------
        ValueError
            Where there are more than two classes, or training gave one of them no weight.
        """
        check_is_fitted(self)
        if len(self.classes_) != 2:
            raise ValueError(
                f"A likelihood ratio compares two classes; this classifier has {len(self.classes_)}."
            )
        if not self._fitted.class_totals.all():
            raise ValueError("A likelihood ratio needs clips of both classes in training; one had no weight.")
        return self.decision_function(X) - self.log_prior_odds_

    @property
    def human_label_(self) -> Any:
        """Human one of two classes, as given or as recognised by its spelling."""
        check_is_fitted(self)
        if self._human_label is None:
            raise AttributeError(
                f"human_label_ is not there: which of the classes {self.classes_.tolist()} is human is not"
                " known by their spelling. Fit with human_label, or give it to the function that asks."
            )
        return self._human_label

    @property
    def log_prior_odds_(self) -> float:
        """Of two classes, the logarithm of the training weight of the second over that of the first."""
        check_is_fitted(self)
        totals = self._fitted.class_totals
        with np.errstate(divide="ignore"):
            return float(np.log(totals[1]) - np.log(totals[0]))

    def predict_segments(self, X: Any) -> list[NDArray[Any]]:
        """Score each segment of each clip.

        Parameters
        ----------
        X : array or sequence of arrays
            See Notes of the class.

        Returns
        -------
        list of structured ndarray of shape (n_segments,)
            Per clip, with the fields ``start_frame``, ``stop_frame`` and ``log_odds``, which is the segment's
            `decision_function`.
        """
        batches, logits = self._segment_logits(X)
        segments = batches.segments
        n_scores = logits.shape[1]
        score_type = np.float64 if n_scores == 1 else (np.float64, (n_scores,))
        table = np.empty(
            len(segments),
            dtype=[("start_frame", np.int64), ("stop_frame", np.int64), ("log_odds", score_type)],
        )
        table["start_frame"], table["stop_frame"] = segments.start, segments.stop
        table["log_odds"] = logits[:, 0] if n_scores == 1 else logits
        return np.split(table, np.cumsum(segments.per_clip)[:-1])

    def _segment_logits(self, X: Any) -> tuple[SegmentBatches, NDArray[np.floating]]:
        check_is_fitted(self)
        validate_params(self)
        clips = checked_clips(self, X, expected=self._fitted.architecture.n_features)
        return self._fitted.segment_logits(clips, self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted classifier to a file.

        Parameters
        ----------
        path : str or os.PathLike
            The file; replaced only when the new one is complete. See :func:`voicelstm.save`.
        """
        from voicelstm.model_files import save

        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a classifier from a file.

        Parameters
        ----------
        path : str or os.PathLike
            What :meth:`save` wrote.

        Returns
        -------
        LSTMVoiceClassifier
            Fitted.

        Raises
        ------
        ModelFileError
            Where the file holds something else, a Pipeline for example, or is damaged.
        """
        from voicelstm.model_files import load_as

        return load_as(cls, path)

    @property
    def network_(self) -> "keras.Model":
        """The fitted network as a Keras model of its own, built anew at each access."""
        check_is_fitted(self)
        from voicelstm.network import build

        return build(self._fitted.architecture, self._fitted.weights)

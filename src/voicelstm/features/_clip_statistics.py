"""Sequences in, one row of numbers per clip out, as a scikit-learn transformer."""

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from voicelstm._base import DocumentationLink, restored_on_failure
from voicelstm._compat import check_feature_names_in, fit_context, validate_params
from voicelstm.exceptions import SequenceWarning
from voicelstm.sequences import AugmentedSequences, FrameStatistics, SequenceReadingMixin

__all__ = ["ClipStatistics"]

_FRAMES_PER_BLOCK = 4096


class ClipStatistics(DocumentationLink, SequenceReadingMixin, TransformerMixin, BaseEstimator):
    """Describe each clip by the mean and the standard deviation of its coefficients over time.

    It hands sequences of any length to scikit-learn's plain classifiers. They then know nothing of the order
    of the frames: the baseline that a classifier of sequences has to beat.

    The transformer is stateless: `transform` may be called without `fit`.

    Read more in the :ref:`user guide <evaluation>`.

    Parameters
    ----------
    statistics : tuple or list of {"mean", "std"}, default=("mean", "std")
        What is computed, and in which order. The standard deviation is that of the frames themselves, with
        the number of frames as divisor; it is 0 for a clip of one frame.

    Attributes
    ----------
    n_features_in_ : int
        Coefficients per frame; where `fit` was given a 2-D array, its columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `fit` was given a data frame whose names are all strings.

    See Also
    --------
    MFCCTransformer : Turns recordings into sequences.
    LSTMVoiceClassifier : Learns from the sequences themselves.

    Notes
    -----
    `X` is what :class:`~voicelstm.LSTMVoiceClassifier` takes: a 3-D array
    ``(n_clips, n_frames, n_coefficients)``; a list, or anything else of one dimension and type object, of 2-D
    arrays ``(n_frames, n_coefficients)``; or a 2-D array ``(n_clips, n_frames)``, sequences of one
    coefficient whose number of frames `fit` fixes. Clips are read one after the other, each in blocks of
    frames, so that a batch which lies on disk is never in memory as a whole.

    A clip without frames, which is what ``MFCCTransformer(on_error="warn")`` gives for a recording that
    fails, becomes a row of NaN, with one :class:`~voicelstm.exceptions.SequenceWarning` that gives the
    positions. Most classifiers refuse NaN; put a :class:`~sklearn.impute.SimpleImputer` behind this step
    where such clips shall be scored all the same.

    Sums are kept in double precision. The result is float64 where a clip is, else float32.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm import ClipStatistics
    >>> clips = [np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 0.0]])]
    >>> statistics = ClipStatistics().fit(clips)
    >>> statistics.transform(clips).tolist()
    [[2.0, 5.0, 1.0, 0.0], [4.0, 0.0, 0.0, 0.0]]
    >>> statistics.get_feature_names_out(["mfcc0", "mfcc1"]).tolist()
    ['mfcc0_mean', 'mfcc1_mean', 'mfcc0_std', 'mfcc1_std']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"statistics": [tuple, list]}

    def __init__(self, *, statistics: Sequence[str] = ("mean", "std")) -> None:
        self.statistics = statistics

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and count the coefficients; of sequences, only the first clip is looked at.

        Parameters
        ----------
        X : array of shape (n_clips, n_frames, n_coefficients) or (n_clips, n_frames), or sequence of arrays
            See Notes of the class.
        y : None
            Ignored.

        Returns
        -------
        ClipStatistics
            Itself.

        Raises
        ------
        ValueError
            Where a parameter or `X` is none that the class describes.
        """
        _check_statistics(self.statistics)
        _refuse_copies(X)
        with restored_on_failure(self):
            self._read_first(X)
        return self

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Compute the statistics of each clip.

        Parameters
        ----------
        X : array of shape (n_clips, n_frames, n_coefficients) or (n_clips, n_frames), or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips, n_coefficients * n_statistics)
            In the order of `X`; the columns are `get_feature_names_out`'s. NaN for clips without frames.

        Raises
        ------
        ValueError
            Where a clip has another number of coefficients than the others or than in `fit`, or holds NaN or
            infinity; the text gives its position.
        """
        validate_params(self)
        _check_statistics(self.statistics)
        _refuse_copies(X)
        rows: list[NDArray[np.float64]] = []
        empty: list[int] = []
        dtype: type[np.floating] = np.float32
        for position, frames in enumerate(self._clips(X)):
            if frames.dtype.kind == "f" and frames.dtype.itemsize > 4:
                dtype = np.float64
            if len(frames):
                moments = _moments(frames)
                rows.append(np.concatenate([moments[name] for name in self.statistics]))
            else:
                empty.append(position)
                rows.append(np.full(frames.shape[1] * len(self.statistics), np.nan))
        if empty:
            warnings.warn(
                f"{len(empty)} of {len(rows)} clips are empty and become rows of NaN, positions {empty}.",
                SequenceWarning,
                stacklevel=3,  # scikit-learn wraps this method, for set_output
            )
        return np.stack(rows).astype(dtype)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns of the output.

        Parameters
        ----------
        input_features : array-like of str of shape (`n_features_in_`,) or None, default=None
            Names of the coefficients; a Pipeline passes those of the step before. None is ``x0``, ``x1``, ...
            Sequences of one coefficient that came as a 2-D array are ``x0``: what their columns are called
            are the names of frames.

        Returns
        -------
        ndarray of shape (n_coefficients * n_statistics,)
            ``x0_mean``, ``x1_mean``, ..., ``x0_std``, ``x1_std``, ...
        """
        check_is_fitted(self, "n_features_in_")
        names = check_feature_names_in(self, input_features)
        if self._reads_columns:
            names = ["x0"]
        return np.array([f"{name}_{what}" for what in self.statistics for name in names], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _refuse_copies(X: Any) -> None:
    if isinstance(X, AugmentedSequences):
        raise ValueError(
            f"ClipStatistics makes a row of each recording, and has none for its copies, but X is {X!r}."
            " Give it X.plain, or all of X.expanded() with the labels repeated; in a Pipeline, set augment of"
            " MFCCTransformer to one Augmenter or None."
        )


def _check_statistics(statistics: Sequence[str]) -> None:
    unknown = [name for name in statistics if name not in ("mean", "std")]
    if not statistics or unknown or len(set(statistics)) < len(statistics):
        raise ValueError(f'statistics={statistics!r} must be one or both of "mean" and "std", each once.')


def _moments(frames: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Mean and standard deviation over frames, at least one, in double precision."""
    # Counted from the first frame, constant columns are exactly 0, and so is their deviation.
    origin = frames[0].astype(np.float64)
    starts = range(0, len(frames), _FRAMES_PER_BLOCK)
    blocks = (frames[start : start + _FRAMES_PER_BLOCK] - origin for start in starts)
    moments = FrameStatistics.nothing_yet(len(origin)).updated(blocks, [1.0] * len(starts))
    return {"mean": origin + moments.mean, "std": np.sqrt(moments.spread / moments.total)}

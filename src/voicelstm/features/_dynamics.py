"""How far and how fast cepstra move, as a sequence of its own."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from voicelstm._base import DocumentationLink, restored_on_failure
from voicelstm._compat import Interval, fit_context, validate_params
from voicelstm.sequences import (
    AugmentedSequences,
    FrameStatistics,
    SequenceReadingMixin,
    from_versions,
    named_version,
    stack,
    versions_of,
)

__all__ = ["LEAST_MOVEMENT", "UNRELATED", "CepstralDynamics", "checked_lags"]

LEAST_MOVEMENT = 1e-3  # of what logarithms are taken of; the difference of independent frames has 2
UNRELATED = 2.0
_LARGEST = 1e70  # the fourth power of it is still far from overflow


class CepstralDynamics(  # type: ignore[call-arg]
    DocumentationLink,
    SequenceReadingMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Describe how far and how fast each coefficient moves, window by window.

    The mean of each coefficient over the clip, which microphone, channel and voice decide, is taken away.
    Of what is left, its variance in each window says how far the coefficient moves, and the mean squared
    difference between frames that lie a lag apart, relative to the clip's variance, how fast: the
    coefficient's variogram, which for a stationary course is twice one less its autocorrelation.

    Human voices keep within limits in this. Synthesis leaves them, each system in its own direction: some
    move too smoothly, some too roughly. So each number is given twice: on which side of the usual it lies,
    and how far off it is, whichever the side. A classifier that reads the second can take what is unusual in
    a way that training has not shown for synthetic.

    Read more in the :ref:`user guide <dynamics>`.

    Parameters
    ----------
    lags : sequence of int, default=(1, 2, 4, 8)
        Distances between the frames that are compared, in frames.
    window_frames, step_frames : int, default=100, 50
        Length of a window and distance between windows, in frames: 1 s and 0.5 s with a frame each 10 ms.

    Attributes
    ----------
    n_features_in_ : int
        Coefficients per frame; where `fit` was given a 2-D array, its columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `fit` was given a data frame whose names are all strings.
    centre_, scale_ : ndarray of shape (n_coefficients * (1 + n_lags),)
        Mean and standard deviation over all windows of `fit`: what is usual. A long clip has more windows
        than a short one, and counts more.

    See Also
    --------
    MFCCTransformer : Turns recordings into sequences.
    LSTMVoiceClassifier : Learns from sequences.
    ClipStatistics : One row of numbers for each clip.
    make_detector : Its "dynamics" have this between the two.

    Notes
    -----
    `X` is what :class:`~voicelstm.LSTMVoiceClassifier` takes: a 3-D array
    ``(n_clips, n_frames, n_coefficients)``, a sequence of 2-D arrays ``(n_frames, n_coefficients)``, or a 2-D
    array ``(n_clips, n_frames)``, sequences of one coefficient. Of
    :class:`~voicelstm.sequences.AugmentedSequences`, what is usual is learnt from copies as from recordings,
    and the movements of both are described, in such a container.

    With ``x`` a coefficient less its mean over the clip and ``s²`` its variance there, the numbers of a
    window are::

        v[0] = ln(0.001 + mean of x[t]²)
        v[lag] = ln(0.001 + mean of (x[t] - x[t - lag])² / s²)

    over the window's frames, for lags over those that have a frame so far before them in the clip, be it
    before the window. So a window's numbers depend on some frames before it as well, and on the whole clip
    through its mean and variance. With ``u = (v - centre_) / scale_`` the output is ``tanh(u)``, for ``v[0]``
    and each lag in turn and all coefficients each, and then ``tanh(u)²`` in the same order. Where no frame
    has another so far before it, they count as unrelated, with a mean of 2. A coefficient that is constant in
    its clip has differences of 0.

    The last window ends with the clip. A clip that is shorter than a window is one window.

    References
    ----------
    Cressie, N., "Statistics for Spatial Data", Wiley, 1993, section 2.4 (the variogram).

    Wu, Z., Xiao, X., Chng, E. S., and Li, H., "Synthetic speech detection using temporal modulation feature",
    ICASSP, 2013 (that the course over time tells synthesis).

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm import CepstralDynamics
    >>> time = np.arange(300)[:, None]
    >>> slow, fast = np.sin(0.05 * time), np.sin(0.5 * time)
    >>> dynamics = CepstralDynamics(lags=(1,)).fit([slow, fast])
    >>> sequences = dynamics.transform([slow, fast])
    >>> sequences.shape
    (2, 5, 4)
    >>> [round(float(u), 1) for u in sequences[:, :, 1].mean(axis=1)]  # below what is usual, and above
    [-0.8, 0.8]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lags": ["array-like"],
        "window_frames": [Interval(Integral, 1, None, closed="left")],
        "step_frames": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, *, lags: Sequence[int] = (1, 2, 4, 8), window_frames: int = 100, step_frames: int = 50
    ) -> None:
        self.lags = lags
        self.window_frames = window_frames
        self.step_frames = step_frames

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what is usual.

        Parameters
        ----------
        X : array of shape (n_clips, n_frames, n_coefficients) or (n_clips, n_frames), or sequence of arrays
            See Notes of the class. Empty clips are passed over.
        y : None
            Ignored.

        Returns
        -------
        CepstralDynamics
            Itself.

        Raises
        ------
        ValueError
            Where a parameter or `X` is none that the class describes, values are beyond 1e70, or all clips
            are empty.
        """
        self._fit(X, lambda measured: None)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> NDArray[Any] | AugmentedSequences:
        """Learn what is usual, and describe the movements of each clip, which is measured once.

        Parameters
        ----------
        X : array of shape (n_clips, n_frames, n_coefficients) or (n_clips, n_frames), or sequence of arrays
            See Notes of the class. Nothing is learnt from empty clips.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_clips, n_windows, n_features), or (n_clips,) of 2-D arrays
            As of `transform`.
        AugmentedSequences
            Of such, if `X` is one.

        Raises
        ------
        ValueError
            As of `fit`.
        """
        measured: list[NDArray[np.float64] | None] = []
        self._fit(X, measured.append)
        described = [self._described(each) for each in measured]
        if not isinstance(X, AugmentedSequences):
            return stack(described)
        n_clips = len(X)
        versions = [described[first : first + n_clips] for first in range(0, len(described), n_clips)]
        return from_versions([stack(version) for version in versions])

    def transform(self, X: Any) -> NDArray[Any] | AugmentedSequences:
        """Describe the movements of each clip.

        Parameters
        ----------
        X : array of shape (n_clips, n_frames, n_coefficients) or (n_clips, n_frames), or sequence of arrays
            See Notes of the class.

        Returns
        -------
        ndarray of shape (n_clips, n_windows, n_features), or (n_clips,) of 2-D arrays
            float32, ``n_features = 2 * n_coefficients * (1 + n_lags)``, in the order of `X`. Clips without
            frames have no windows.
        AugmentedSequences
            Of such, if `X` is one.

        Raises
        ------
        ValueError
            Where a clip has another number of coefficients than those of `fit` or holds NaN or infinity, with
            its position, or a parameter has changed since.
        """
        lags = self._checked_settings()[0]
        versions = []
        for number, version in enumerate(versions_of(X)):
            with named_version(number):
                versions.append(
                    [
                        self._described(self._measured(clip, lags, position) if len(clip) else None)
                        for position, clip in enumerate(self._clips(version))
                    ]
                )
        if isinstance(X, AugmentedSequences):
            return from_versions([stack(version) for version in versions])
        return stack(versions[0])

    def spans(self, n_frames: int) -> NDArray[np.intp]:
        """Tell which frames of a clip each window covers.

        Parameters
        ----------
        n_frames : int
            Length of the clip.

        Returns
        -------
        ndarray of shape (n_windows, 2)
            First frame, and the one behind the last.

        Examples
        --------
        >>> from voicelstm import CepstralDynamics
        >>> CepstralDynamics(window_frames=4, step_frames=2).spans(7).tolist()
        [[0, 4], [2, 6], [3, 7]]
        """
        if not n_frames:
            return np.empty((0, 2), dtype=np.intp)
        window, step = min(self.window_frames, n_frames), min(self.step_frames, n_frames)
        last = n_frames - window
        starts = np.arange(0, last + step, step).clip(max=last)
        return np.column_stack([starts, starts + window])

    @property
    def _n_output_features(self) -> int:
        return 2 * len(self.centre_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _settings(self) -> tuple[tuple[int, ...], int, int]:
        """Return what decides what the numbers mean, checked."""
        validate_params(self)
        return checked_lags(self.lags), int(self.window_frames), int(self.step_frames)

    def _checked_settings(self) -> tuple[tuple[int, ...], int, int]:
        """Return the settings of `fit`; what has been learnt is not true of others."""
        check_is_fitted(self)
        settings = self._settings()
        if settings != self._fitted_settings:
            was, now = (
                "lags={}, window_frames={}, step_frames={}".format(*each)
                for each in (self._fitted_settings, settings)
            )
            raise ValueError(f"{now} are not those of the last fit, {was}: call fit again.")
        return settings

    def _fit(self, X: Any, keep: Callable[[NDArray[np.float64] | None], None]) -> None:
        """Learn what is usual; `keep` is given what each clip measures, None if it is empty."""
        settings = self._settings()
        with restored_on_failure(self):
            self._read_first(X)
            statistics = FrameStatistics.nothing_yet(self._n_coefficients * (1 + len(settings[0])))
            for number, version in enumerate(versions_of(X)):
                with named_version(number):
                    for position, clip in enumerate(self._clips(version)):
                        measured = self._measured(clip, settings[0], position) if len(clip) else None
                        keep(measured)
                        if measured is not None:
                            statistics = statistics.updated([measured], [1.0])
            if not statistics.total:
                raise ValueError("All clips of X are empty: there is nothing to learn from.")
        self.centre_, self.scale_ = statistics.mean, statistics.deviation()
        self._fitted_settings = settings

    def _described(self, measured: NDArray[np.float64] | None) -> NDArray[np.float32]:
        """Say on which side of the usual a clip's numbers lie, and how far off."""
        if measured is None:
            return np.empty((0, self._n_output_features), dtype=np.float32)
        side = np.tanh((measured - self.centre_) / self.scale_)
        return np.hstack([side, np.square(side)]).astype(np.float32)

    def _measured(self, clip: NDArray[Any], lags: tuple[int, ...], position: int) -> NDArray[np.float64]:
        """Compute ``v`` of each window, of shape (n_windows, n_coefficients * (1 + n_lags))."""
        largest = float(np.abs(clip).max())
        if largest > _LARGEST:
            raise ValueError(f"X[{position}] has values as large as {largest:.2g}, whose squares overflow.")
        of_clip = FrameStatistics.nothing_yet(clip.shape[1]).updated([clip], [1.0])
        x = clip - of_clip.mean
        variance = np.square(of_clip.deviation())  # 1 where a coefficient is constant
        spans = self.spans(len(x))
        columns = [_means(np.square(x), spans[:, 0], spans[:, 1])]
        for lag in (min(lag, len(x)) for lag in lags):
            differences = np.square(x[lag:] - x[:-lag]) / variance
            first, stop = (np.maximum(edge - lag, 0) for edge in spans.T)
            columns.append(_means(differences, first, stop))
        return np.log(LEAST_MOVEMENT + np.hstack(columns))


def checked_lags(lags: Any) -> tuple[int, ...]:
    """Return lags as a tuple of Python's integers; ValueError unless they are distinct and at least 1."""
    found = [] if isinstance(lags, AbstractSet) else list(lags)  # sets have no order
    are_whole = all(
        isinstance(lag, int | np.integer) and not isinstance(lag, bool) and lag >= 1 for lag in found
    )
    if not found or not are_whole or len(set(found)) < len(found):
        raise ValueError(f"lags={lags!r} must be one or more whole numbers of at least 1, each once.")
    return tuple(int(lag) for lag in found)


def _means(
    values: NDArray[np.float64], first: NDArray[np.intp], stop: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Average rows over ranges; over an empty one the mean is that of unrelated frames."""
    sums = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    n = (stop - first)[:, None]
    return np.where(n > 0, (sums[stop] - sums[first]) / np.maximum(n, 1), UNRELATED)

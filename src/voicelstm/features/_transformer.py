"""Many recordings in, cepstral sequences out, as a scikit-learn transformer."""

import logging
import os
import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.metadata_routing import UNUSED

from voicelstm._base import DocumentationLink, python_value
from voicelstm._compat import Interval, StrOptions, fit_context, validate_params
from voicelstm.audio import Augmenter, report_failures, report_remarks
from voicelstm.exceptions import SequenceWarning
from voicelstm.features._cepstra import CepstraSettings
from voicelstm.features._extraction import ExtractionSettings, check_extraction
from voicelstm.features._many import extract_all, extract_into, named_remarks
from voicelstm.features._presets import ASVSPOOF_LFCC, RECIPE_FEATURES
from voicelstm.features._recordings import checked_recordings
from voicelstm.sequences import AugmentedSequences, Clip, SequenceStore, SequenceWriter, stack

__all__ = ["MFCCTransformer", "checked_augmenters", "distinct_fingerprints", "sequences_and_fingerprints"]

_log = logging.getLogger(__name__)

_COPY = "copy-"  # and a number: the folder of a copy


class MFCCTransformer(  # type: ignore[call-arg]
    DocumentationLink, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Turn recordings into sequences of cepstral coefficients.

    Each recording is read, its channels are mixed to one or one of them is taken, it is resampled, optionally
    trimmed and levelled, and cut into frames, and each frame becomes its cepstral coefficients with their
    time derivatives. The transformer is stateless: `transform` may be called without `fit`. With `augment`,
    ``fit_transform(X)`` is not ``fit(X).transform(X)``: what is trained on is changed or copied, what is
    predicted never is.

    Read more in the :ref:`user guide <recordings>`.

    Parameters
    ----------
    sample_rate : int or None, default=16000
        Recordings are resampled to this rate, in Hz; plain arrays are taken to have it. None keeps each
        recording's own.
    n_mfcc : int or None, default=20
        Coefficients per frame, c0 included. If None, features are the log energies of the filters, without
        cosine transform, `lifter` and `energy`.
    n_filters : int, default=40
        Triangular filters.
    n_fft : int or None, default=None
        Length of the Fourier transform, in samples. None is the smallest power of two that holds a frame.
    frame_length, frame_step : float, default=0.025, 0.01
        Length of a frame and distance between frames, in s.
    fmin, fmax : float, default=0.0, None
        Range of the filterbank, in Hz. None is half the sample rate.
    preemphasis : float, default=0.97
        Coefficient of the first-order high-pass filter before framing; 0 is none.
    window : str or tuple, default="hamming"
        A window by the name that :func:`scipy.signal.get_window` knows; symmetric. "boxcar" is none.
    lifter : float or None, default=22
        Length of the sinusoidal lifter. 0 or None is none.
    energy : bool, default=True
        Whether the log energy of the frame stands in place of c0.
    scale : {"mel", "slaney", "linear"}, default="mel"
        Frequency scale of the filters: HTK's mel, Slaney's, or linear (LFCC).
    triangles : {"bins", "exact"}, default="bins"
        Whether filter corners are rounded down to spectral bins, as in python_speech_features.
    deltas : int, default=2
        Orders of time derivatives that are appended: 1 for Δ, 2 for Δ and ΔΔ.
    normalize : {"mean", "zscore", "minmax"} or None, default=None
        Normalisation of each column over each clip.
    amplitude : float or "scipy", default=1.0
        Value of a sample at full scale. 32768 gives the cepstra of 16-bit integers. "scipy" gives a WAV file
        the values of :func:`scipy.io.wavfile.read`: ±32768 for 16 bits, 0 to 255 for 8 (128 is silence),
        ±2147483648 for 24 and 32, and floating point as it is. Other files, and 8-bit ones that scipy
        refuses, have values within ±1, as librosa loads them. An array keeps its own.
    level : float or None, default=None
        Root mean square that each recording is scaled to, after trimming, in dBFS.
    trim_silence : float or None, default=None
        Leading and trailing samples more than so many dB below the recording's peak are cut.
    speech_only : bool, default=False
        Whether frames without speech are left out: pauses, noise, tones and music, wherever they are. `level`
        is then that of the speech, and `trim_silence` has nothing to do. A recording with less than 0.15 s of
        speech keeps all its frames. See Notes.
    max_frames : int or None, default=None
        Only the first so many frames are kept.
    max_duration : float or None, default=None
        Longer recordings are refused, in s.
    channel : int, "mean", "left", "right" or "interleaved", default="mean"
        Channel of each recording that is read, counted from 0; "left" and "right" are 0 and 1. "mean" is the
        mean of all that are not silent; a recording whose channels cancel each other then fails. An array is
        a channel already, whatever this says. See :func:`voicelstm.audio.read_audio`. "interleaved": what
        python_speech_features makes of an array of two columns or more, for the original recipe alone. A
        frame has as many samples as else, one of each channel in turn, so that of two channels it spans half
        the time, and there are twice as many.
    augment : Augmenter, sequence of Augmenter or None, default=None
        What `fit_transform` changes recordings with: as in scikit-learn's
        :class:`~sklearn.preprocessing.TargetEncoder`, it differs from ``fit(X).transform(X)``. Pipelines call
        it where they are fitted; `transform` and `extract` never augment. It comes before trimming and
        levelling, which then find in noise and echoes what they would find in such a recording; after
        levelling, the level would tell who was augmented. Of a sequence, such as that of
        :meth:`Augmenter.channels`, each augmenter makes a copy of every recording, beside the recording as
        it is; `speech_only` then looks for speech in the recording as it is, once for all its copies.
    backend : {"native", "python_speech_features", "librosa"}, default="native"
        Who computes the coefficients. The latter two are handed the same parameters, for parity.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the arithmetic and type of the features.
    on_error : {"raise", "warn"}, default="raise"
        What a recording that fails does: one error that names all of them, or one warning and an empty
        sequence in the place of each.
    cache_dir : str, os.PathLike or None, default=None
        Folder in which features are kept, by each recording's content and the parameters. `transform` then
        returns a :class:`SequenceStore`.
    n_jobs : int or None, default=None
        Workers: processes from a thousand recordings on, else threads. None is 1, or what
        :func:`joblib.parallel_config` says, and -1 is all cores.
    verbose : int, default=0
        Whether a progress bar is shown on standard error.

    Attributes
    ----------
    n_features_in_ : int
        Samples per signal, where `fit` was given a 2-D array of signals.
    fingerprints_ : ndarray of shape (n_recordings,)
        Hashes of 63 bits of the recordings' samples, ascending and each once; after `fit_transform`. By
        these, whatever the file's name and format, :func:`evaluate` recognises a recording of the training. A
        model file keeps them; no sample can be computed from them. Recordings of silence, which are all
        alike, have none.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `fit` was given a data frame whose names are all strings.

    See Also
    --------
    Augmenter : Changes recordings that are trained on.
    LSTMVoiceClassifier : Learns from the sequences.
    ClipStatistics : Makes a table of the sequences, for other classifiers.
    make_detector : The recommended whole.

    Notes
    -----
    `X` is a list (or any sequence) whose elements are, mixed freely, paths, arrays of samples at
    `sample_rate` and pairs ``(samples, sample_rate)``; or a 2-D numeric array of equally long signals. The
    result is a 3-D array ``(n_clips, n_frames, n_features)`` where all clips have the same number of frames,
    else a 1-D object array of 2-D arrays ``(n_frames, n_features)``.

    Silero's voice activity detector [1]_ tells speech, of humans as of machines, 32 ms at a time. It
    hears the recording at the level of its loudest quarter of a second, so that neither a click nor silence
    changes what it hears. Frames more than 35 dB below that level are no speech, but for interruptions of at
    most 0.1 s. Where the loudest talker pauses for a second and more, it hears again at the level of that
    pause, and so another talker who is up to 45 dB quieter. What keeps its spectrum, as tones, chords and
    arpeggios do, is no speech: half a second before and after which more than an eighth of the chunks have
    the spectrum of the chunk before, but for the level and 1 dB.

    References
    ----------
    .. [1] Silero Team, "Silero VAD: pre-trained enterprise-grade voice activity detector", 2024,
       https://github.com/snakers4/silero-vad. Version 6.2.3, whose weights come with this library under the
       MIT licence.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm import MFCCTransformer
    >>> second = np.sin(np.arange(16000))
    >>> MFCCTransformer().transform([second, second]).shape
    (2, 99, 60)
    >>> [len(clip) for clip in MFCCTransformer().transform([second, second[:8000]])]
    [99, 49]
    """

    __metadata_request__transform: ClassVar = {"out": UNUSED}  # where to, which no router decides

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sample_rate": [Interval(Integral, 1, None, closed="left"), None],
        "n_mfcc": [Interval(Integral, 1, None, closed="left"), None],
        "n_filters": [Interval(Integral, 1, None, closed="left")],
        "n_fft": [Interval(Integral, 2, None, closed="left"), None],
        "frame_length": [Interval(Real, 0, None, closed="neither")],
        "frame_step": [Interval(Real, 0, None, closed="neither")],
        "fmin": [Interval(Real, 0, None, closed="left")],
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "preemphasis": [Interval(Real, 0, 1, closed="both")],
        "window": [str, tuple],
        "lifter": [Interval(Real, 0, None, closed="left"), None],
        "energy": ["boolean"],
        "scale": [StrOptions({"mel", "slaney", "linear"})],
        "triangles": [StrOptions({"bins", "exact"})],
        "deltas": [Interval(Integral, 0, 3, closed="both")],
        "normalize": [StrOptions({"mean", "zscore", "minmax"}), None],
        "amplitude": [Interval(Real, 0, None, closed="neither"), StrOptions({"scipy"})],
        "level": [Interval(Real, None, 0, closed="right"), None],
        "trim_silence": [Interval(Real, 0, None, closed="neither"), None],
        "speech_only": ["boolean"],
        "max_frames": [Interval(Integral, 1, None, closed="left"), None],
        "max_duration": [Interval(Real, 0, None, closed="neither"), None],
        "channel": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"mean", "left", "right", "interleaved"}),
        ],
        "augment": [Augmenter, list, tuple, None],
        "backend": [StrOptions({"native", "python_speech_features", "librosa"})],
        "dtype": [StrOptions({"float32", "float64"})],
        "on_error": [StrOptions({"raise", "warn"})],
        "cache_dir": [str, os.PathLike, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        sample_rate: int | None = 16000,
        n_mfcc: int | None = CepstraSettings.n_mfcc,
        n_filters: int = CepstraSettings.n_filters,
        n_fft: int | None = CepstraSettings.n_fft,
        frame_length: float = CepstraSettings.frame_length,
        frame_step: float = CepstraSettings.frame_step,
        fmin: float = CepstraSettings.fmin,
        fmax: float | None = CepstraSettings.fmax,
        preemphasis: float = CepstraSettings.preemphasis,
        window: str | tuple[Any, ...] = CepstraSettings.window,
        lifter: float | None = CepstraSettings.lifter,
        energy: bool = CepstraSettings.energy,
        scale: str = CepstraSettings.scale,
        triangles: str = CepstraSettings.triangles,
        deltas: int = 2,
        normalize: str | None = None,
        amplitude: float | str = CepstraSettings.amplitude,
        level: float | None = None,
        trim_silence: float | None = None,
        speech_only: bool = False,
        max_frames: int | None = None,
        max_duration: float | None = None,
        channel: int | str = "mean",
        augment: Augmenter | Sequence[Augmenter] | None = None,
        backend: str = "native",
        dtype: str = CepstraSettings.dtype,
        on_error: str = "raise",
        cache_dir: str | os.PathLike[str] | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.sample_rate = sample_rate
        self.n_mfcc = n_mfcc
        self.n_filters = n_filters
        self.n_fft = n_fft
        self.frame_length = frame_length
        self.frame_step = frame_step
        self.fmin = fmin
        self.fmax = fmax
        self.preemphasis = preemphasis
        self.window = window
        self.lifter = lifter
        self.energy = energy
        self.scale = scale
        self.triangles = triangles
        self.deltas = deltas
        self.normalize = normalize
        self.amplitude = amplitude
        self.level = level
        self.trim_silence = trim_silence
        self.speech_only = speech_only
        self.max_frames = max_frames
        self.max_duration = max_duration
        self.channel = channel
        self.augment = augment
        self.backend = backend
        self.dtype = dtype
        self.on_error = on_error
        self.cache_dir = cache_dir
        self.n_jobs = n_jobs
        self.verbose = verbose

    @classmethod
    def original(cls, **changes: Any) -> Self:
        """Return the front end of the recipe that the library grew out of.

        ``python_speech_features.mfcc(signal, samplerate=fs, nfft=2048)`` of the values that
        :func:`scipy.io.wavfile.read` gives, the first 5,000 frames, each coefficient of each file scaled to
        0..1. Of files with two channels the recipe took them interleaved, which
        ``original(channel="interleaved")`` does; without that it is their mean.

        Parameters
        ----------
        **changes
            Parameters that differ from these settings.

        Returns
        -------
        MFCCTransformer
            In double precision, so that the features equal python_speech_features's.

        Examples
        --------
        >>> from voicelstm import MFCCTransformer
        >>> MFCCTransformer.original(max_frames=10_000).n_mfcc
        13
        """
        return cls(**(RECIPE_FEATURES | changes))

    @classmethod
    def lfcc(cls, **changes: Any) -> Self:
        """Return the front end of the ASVspoof 2021 baseline with linear-frequency cepstra.

        70 linearly spaced filters up to 4 kHz, 19 coefficients and the 0th, Δ and ΔΔ, of frames of 30 ms, a
        frame every 15 ms, without pre-emphasis, lifter or normalisation: what the baseline's README says,
        with the triangles of its ``lfcc_bp.m``. (Its MATLAB script as published keeps one coefficient less;
        its Python port has corners rounded down to bins, ``triangles="bins"``.)

        Parameters
        ----------
        **changes
            Parameters that differ from these settings.

        Returns
        -------
        MFCCTransformer
            Its static coefficients are those of the baseline but for two constants: logarithms are natural,
            and energies are divided by the transform's length. Its derivatives are regressions over ±2
            frames, where the baseline takes differences over ±1.

        References
        ----------
        ASVspoof 2021 baseline CM, ``LA/Baseline-LFCC-GMM``, https://github.com/asvspoof-challenge/2021.
        M. Sahidullah, T. Kinnunen and C. Hanilçi, "A comparison of features for synthetic speech detection",
        Interspeech, 2015.

        Examples
        --------
        >>> from voicelstm import MFCCTransformer
        >>> MFCCTransformer.lfcc().get_feature_names_out().size
        60
        """
        return cls(**(ASVSPOOF_LFCC | changes))

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the kind of `X`; no recording is opened.

        Parameters
        ----------
        X : sequence of recordings, or array of shape (n_clips, n_samples)
            See Notes of the class.
        y : None
            Ignored.

        Returns
        -------
        MFCCTransformer
            Itself.
        """
        for augmenter in checked_augmenters(self.augment):
            augmenter.check()
        for settings in self._training_versions():
            check_extraction(settings)
        checked_recordings(self, X, reset=True)
        self.__dict__.pop("fingerprints_", None)  # of another fit
        return self

    def fit_transform(
        self, X: Any, y: Any = None, out: str | os.PathLike[str] | None = None
    ) -> NDArray[Any] | SequenceStore | AugmentedSequences:
        """Fit, and compute the sequences of what `augment` makes of the recordings.

        Parameters
        ----------
        X : sequence of recordings, or array of shape (n_clips, n_samples)
            See Notes of the class.
        y : None
            Ignored.
        out : str, os.PathLike or None, default=None
            As `transform` takes it. Augmented features and others do not mix in one folder. Of copies, it has
            a folder for each, ``copy-1``, ``copy-2``, ... Those of more copies, which an earlier call left,
            stay, with a :class:`~voicelstm.exceptions.SequenceWarning` that names them.

        Returns
        -------
        ndarray of shape (n_clips, n_frames, n_features) or (n_clips,) of 2-D arrays, or SequenceStore
            As of `transform`; with ``augment=None`` the same. If `augment` is a sequence, an
            :class:`~voicelstm.sequences.AugmentedSequences` of such.
        """
        self.fit(X, y)
        versions = self._training_versions()
        sequences, fingerprints = self._sequences(X, out, versions)
        if out is not None and (left := _folders_of_more_copies(Path(out), len(versions) - 1)):
            warnings.warn(
                f"{out} holds {', '.join(left)} of an earlier call, which made more copies. They are not of"
                " this one: delete them, unless you need them.",
                SequenceWarning,
                stacklevel=2,
            )
        self.fingerprints_ = distinct_fingerprints(fingerprints)
        return self._together(sequences)

    def transform(self, X: Any, out: str | os.PathLike[str] | None = None) -> NDArray[Any] | SequenceStore:
        """Compute the cepstral sequences of recordings.

        Parameters
        ----------
        X : sequence of recordings, or array of shape (n_clips, n_samples)
            See Notes of the class.
        out : str, os.PathLike or None, default=None
            Folder that the sequences are written to, so that they need not fit into memory. What it holds
            already is not computed again, so that an interrupted run goes on where it stopped. A run that
            fails leaves the collection that was there. `cache_dir` is not looked at.

        Returns
        -------
        ndarray of shape (n_clips, n_frames, n_features) or (n_clips,) of 2-D arrays, or SequenceStore
            The sequences, in the order of `X`. A :class:`~voicelstm.SequenceStore`, which reads each when it
            is asked for, with `out` or `cache_dir`.

        Raises
        ------
        AudioError
            With ``on_error="raise"``, where recordings fail; it names each with its reason.
        StoreError
            Where `out` holds features of other parameters, or other things.
        """
        (sequences,), _ = self._sequences(X, out, [self._settings(None)])
        return sequences

    def extract(self, X: Any) -> list[Clip]:
        """Compute the sequences together with their place in time.

        Parameters
        ----------
        X : sequence of recordings, or array of shape (n_clips, n_samples)
            See Notes of the class.

        Returns
        -------
        list of voicelstm.sequences.Clip
            In the order of `X`; each has ``features``, ``offset``, ``frame_length``, ``frame_step`` and
            ``duration``.

        Raises
        ------
        AudioError
            As `transform`.
        """
        versions = [self._settings(None)]
        if self.cache_dir is None or self.speech_only:  # folders do not keep where frames were left out
            return self._extracted(X, versions)
        (stored,), _ = self._sequences(X, None, versions)
        return [stored.clip(position) for position in range(len(stored))]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the last axis of the output.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_features,)
            ``mfcc0``, ``mfcc1``, ... and, with deltas, ``delta_mfcc0``, ..., ``delta2_mfcc0``, ...; of log
            energies ``filter0``, ``filter1``, ...
        """
        prefixes = ("", "delta_", "delta2_", "delta3_")[: self.deltas + 1]
        what, count = ("filter", self.n_filters) if self.n_mfcc is None else ("mfcc", self.n_mfcc)
        return np.array([f"{prefix}{what}{i}" for prefix in prefixes for i in range(count)], dtype=object)

    @property
    def set_output(self) -> Any:
        """Refuse: sequences fit into no table."""
        raise AttributeError(
            "MFCCTransformer has no set_output: its output has an axis of frames, for which a table has no"
            " place. ClipStatistics turns sequences into a table, and its set_output works."
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _training_versions(self) -> list[ExtractionSettings]:
        """Return the settings of what `fit_transform` computes: of recordings, and of their copies if any."""
        if self.augment is None or isinstance(self.augment, Augmenter):
            return [self._settings(self.augment)]
        return self._settings(None).of_copies(checked_augmenters(self.augment))

    def _together(self, sequences: list[Any]) -> NDArray[Any] | SequenceStore | AugmentedSequences:
        """Make one batch of the sequences of `_training_versions`."""
        is_alone = self.augment is None or isinstance(self.augment, Augmenter)
        return sequences[0] if is_alone else AugmentedSequences(sequences[0], sequences[1:])

    def _extracted(self, X: Any, versions: list[ExtractionSettings]) -> list[Clip]:
        """Return the clips of the one version that there is."""
        recordings = self._checked(X, versions)
        _log.info("computing the features of %d recordings", len(recordings))
        (clips,), failures, remarks = extract_all(recordings, versions, self.n_jobs, self.verbose)
        report_remarks(named_remarks(recordings, remarks))
        report_failures(failures, len(recordings), self.on_error)
        return clips

    def _sequences(
        self, X: Any, out: str | os.PathLike[str] | None, versions: list[ExtractionSettings]
    ) -> tuple[list[Any], list[int | None]]:
        """Return the sequences of each version, in memory or in folders, and the recordings' fingerprints."""
        recordings = self._checked(X, versions)
        if out is None and self.cache_dir is None:
            _log.info("computing the features of %d recordings", len(recordings))
            clips, failures, remarks = extract_all(recordings, versions, self.n_jobs, self.verbose)
            report_remarks(named_remarks(recordings, remarks))
            report_failures(failures, len(recordings), self.on_error)
            sequences = [stack([clip.features for clip in of_version]) for of_version in clips]
            return sequences, [clip.fingerprint for clip in clips[0]]
        if out is None:
            folders = [settings.folder_in(cast(Any, self.cache_dir)) for settings in versions]
        else:
            folders = [Path(out), *(Path(out, f"{_COPY}{number}") for number in range(1, len(versions)))]
        _log.info("bringing the features of %d recordings into %s", len(recordings), folders[0])
        with ExitStack() as opened:
            writers = []
            for folder, settings in zip(folders, versions, strict=True):
                writer = SequenceWriter(folder, settings.described(), settings.n_features, self.dtype)
                writers.append(opened.enter_context(writer))
            digests, failures, named = extract_into(writers, recordings, versions, self.n_jobs, self.verbose)
            report_remarks(named)
            report_failures(failures, len(recordings), self.on_error)
            if out is not None:
                for writer in writers:
                    writer.arrange(digests)
            return [writer.view(digests) for writer in writers], writers[0].fingerprints(digests)

    def _checked(self, X: Any, versions: list[ExtractionSettings]) -> list[Any]:
        validate_params(self)
        for settings in versions:
            check_extraction(settings)
        return checked_recordings(self, X, reset=False)

    def _settings(self, augment: Augmenter | None) -> ExtractionSettings:
        return ExtractionSettings.of(self.get_params(deep=False) | {"augment": augment})


def _folders_of_more_copies(out: Path, n_copies: int) -> list[str]:
    """Name the folders of copies in a folder of sequences that has fewer."""
    numbers = [each.name.removeprefix(_COPY) for each in out.glob(f"{_COPY}*") if each.is_dir()]
    left = sorted(int(number) for number in numbers if number.isdecimal() and int(number) > n_copies)
    return [f"{_COPY}{number}" for number in left]


def checked_augmenters(augment: Any) -> list[Augmenter]:
    """List the augmenters of a transformer's `augment`; a sequence must have different ones."""
    if augment is None or isinstance(augment, Augmenter):
        return [] if augment is None else [augment]
    augmenters = list(augment)
    if not augmenters or not all(isinstance(each, Augmenter) for each in augmenters):
        raise ValueError(
            f"augment={augment!r:.200}: expected an Augmenter, a sequence of one Augmenter for each copy, or"
            " None for none."
        )
    known = [str(python_value(each.get_params(deep=False))) for each in augmenters]
    for position, described in enumerate(known):
        first = known.index(described)
        if first < position:
            raise ValueError(
                f"augment[{first}] and augment[{position}] are the same, and so would be their copies: give"
                " each a random_state of its own."
            )
    return augmenters


def sequences_and_fingerprints(
    transformer: MFCCTransformer, X: Any, *, augmented: bool = False
) -> tuple[Any, list[int | None]]:
    """Return what `transform` returns, and the recordings' fingerprints; None if one failed or is silent.

    With `augmented`, the sequences are those of `fit_transform`; the fingerprints are the same.
    """
    if augmented:
        sequences, fingerprints = transformer._sequences(X, None, transformer._training_versions())
        return transformer._together(sequences), fingerprints
    sequences, fingerprints = transformer._sequences(X, None, [transformer._settings(None)])
    return sequences[0], fingerprints


def distinct_fingerprints(fingerprints: Iterable[int | None]) -> NDArray[np.int64]:
    """Return fingerprints as `fingerprints_` has them: ascending, each once; None is left out."""
    return np.unique(np.array([each for each in fingerprints if each is not None], dtype=np.int64))

"""A recording's cepstra or filterbank energies over time."""

from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from voicelstm.audio import read_audio
from voicelstm.display._axes import axes_or_new, check_finite, pyplot
from voicelstm.features import MFCCTransformer, filter_corners
from voicelstm.sequences import Clip

__all__ = ["CepstraDisplay"]

_DECIBELS = 10 / np.log(10)  # of one natural logarithm of a power
_DYNAMIC_RANGE = 60  # dB below the loudest that are drawn: what is fainter is seldom speech
_LIMIT = 3  # deviations that are drawn: 0.3 % of a normal distribution lie beyond
_TICKS = (250, 500, 1000, 2000, 4000, 6000, 8000, 12000, 16000)  # Hz


class CepstraDisplay:
    """A recording's cepstra or filterbank energies over time.

    It shows what a detector is given, and where in the recording each frame lies. Made by
    :meth:`from_recording`.

    Read more in the :ref:`user guide <pictures>`.

    Parameters
    ----------
    clip : voicelstm.sequences.Clip
        Features and their place in the recording, of :meth:`voicelstm.MFCCTransformer.extract`.
    kind : {"cepstra", "filterbank"}, default="cepstra"
        What the features are: coefficients, or energies of filters in dB.
    names : sequence of str, default=None
        Of the coefficients; None numbers them.
    frequencies : array-like of shape (n_filters,), default=None
        Where the filters peak, in Hz; None numbers them.

    Attributes
    ----------
    image_ : matplotlib.image.AxesImage
        The features, one row per coefficient or filter, the first at the bottom.
    colorbar_ : matplotlib.colorbar.Colorbar or None
        The scale of the colours.
    ax_ : matplotlib.axes.Axes
        Time in s against coefficients, or against frequency in Hz.
    figure_ : matplotlib.figure.Figure
        The figure of `ax_`.

    See Also
    --------
    voicelstm.MFCCTransformer : Computes the features.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from voicelstm.datasets import make_voices
    >>> from voicelstm.display import CepstraDisplay
    >>> X, _ = make_voices(2, random_state=0, return_X_y=True)
    >>> display = CepstraDisplay.from_recording(X[0], kind="filterbank")
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel(), display.colorbar_.ax.get_ylabel()
    ('time in s', 'frequency in Hz', 'energy in dB')
    """

    def __init__(
        self,
        clip: Clip,
        *,
        kind: Literal["cepstra", "filterbank"] = "cepstra",
        names: Any = None,
        frequencies: Any = None,
    ) -> None:
        self.clip = clip
        self.kind = kind
        self.names = names
        self.frequencies = frequencies

    @classmethod
    def from_recording(
        cls,
        recording: Any,
        transformer: MFCCTransformer | None = None,
        *,
        kind: Literal["cepstra", "filterbank"] = "cepstra",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Compute the features of a recording and draw them.

        Parameters
        ----------
        recording : str, os.PathLike, ndarray of shape (n_samples,), or pair
            One recording, as the transformer takes them.
        transformer : MFCCTransformer, default=None
            Whose features; it need not be fitted. None is one with its defaults. Of a detector it is the
            first step.
        kind : {"cepstra", "filterbank"}, default="cepstra"
            "cepstra" are the transformer's features, derivatives and normalisation included. "filterbank" are
            the energies of its filters, from which its cepstra are made, always by the backend "native".
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            As :meth:`plot` takes them.

        Returns
        -------
        CepstraDisplay
            Drawn.

        Raises
        ------
        AudioError
            Where the recording cannot be read.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        _check_kind(kind)
        transformer = MFCCTransformer() if transformer is None else transformer
        if kind == "cepstra":
            clip = _only(transformer, recording)
            display = cls(clip, kind=kind, names=transformer.get_feature_names_out().tolist())
        else:
            energies = clone(transformer).set_params(
                n_mfcc=None, deltas=0, normalize=None, backend="native", cache_dir=None
            )
            clip = _only(energies, recording)
            clip = replace(clip, features=_DECIBELS * clip.features)
            display = cls(clip, kind=kind, frequencies=_centres(transformer, recording))
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, *, standardize: bool = True, colorbar: bool = True, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.
        standardize : bool, default=True
            Whether each coefficient is drawn in standard deviations from its mean over the clip. Otherwise
            the first few, which are the largest, are all that can be seen. Energies are drawn as they are.
        colorbar : bool, default=True
            Whether to draw the scale of the colours.
        **kwargs
            Of matplotlib's `imshow`, such as ``cmap``, ``vmin`` and ``vmax``.

        Returns
        -------
        CepstraDisplay
            Itself.
        """
        _check_kind(self.kind)
        values = check_finite("features", self.clip.features)
        if values.ndim != 2 or not len(values):
            raise ValueError(
                f"features has shape {values.shape}; expected (n_frames, n_features) and at least one frame."
                " A recording that failed has none."
            )
        ax = axes_or_new(ax, (9, 3.2))
        if self.kind == "filterbank":
            label = "energy in dB"
            scale = {"vmin": values.max() - _DYNAMIC_RANGE, "vmax": values.max()}
        elif standardize:
            values, label = _standardized(values), "standard deviations from mean"
            scale = {"vmin": -_LIMIT, "vmax": _LIMIT}
        else:
            label, scale = "value", {}
        # Its lightness rises with the value, so that it is the same picture in grey.
        drawing = {"cmap": "cividis", "interpolation": "nearest", **scale, **kwargs}
        clip = self.clip
        start = clip.offset + (clip.frame_length - clip.frame_step) / 2
        self.image_ = ax.imshow(
            values.T,
            aspect="auto",
            origin="lower",
            extent=(start, start + len(values) * clip.frame_step, -0.5, values.shape[1] - 0.5),
            **drawing,
        )
        ax.set(xlabel="time in s", xlim=(0, clip.duration))
        self._label_rows(ax, values.shape[1])
        self.colorbar_ = None
        if colorbar:
            beyond = {(True, True): "both", (True, False): "min", (False, True): "max"}
            low, high = self.image_.get_clim()
            extend = beyond.get((bool(values.min() < low), bool(values.max() > high)), "neither")
            self.colorbar_ = ax.figure.colorbar(self.image_, ax=ax, label=label, extend=extend, pad=0.02)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _label_rows(self, ax: Any, n_rows: int) -> None:
        if self.kind == "filterbank" and self.frequencies is not None:
            centres = np.asarray(self.frequencies, dtype=np.float64)
            ticks = [tick for tick in _TICKS if centres[0] <= tick <= centres[-1]]
            even = np.allclose(np.diff(centres, 2), 0, atol=1e-6 * centres[-1])
            if even:  # a linear scale has room for steps of one size only
                step = next(step for step in (250, 500, 1000, 2000, 5000, 10000) if centres[-1] <= 9 * step)
                ticks = [tick for tick in range(0, int(centres[-1]) + 1, step) if tick >= centres[0]]
            ax.set_yticks(np.interp(ticks, centres, np.arange(n_rows)), [f"{tick:g}" for tick in ticks])
            ax.set_ylabel("frequency in Hz")
            return
        ax.set_ylabel("filter" if self.kind == "filterbank" else "coefficient")
        firsts = [i for i, name in enumerate(self.names or ()) if name.endswith("mfcc0")]
        if len(firsts) > 1:
            ax.set_yticks(firsts, [self.names[i] for i in firsts])
            for first in firsts[1:]:
                ax.axhline(first - 0.5, color="white", linewidth=1.5)
        else:
            ax.yaxis.get_major_locator().set_params(integer=True)


def _check_kind(kind: str) -> None:
    if kind not in ("cepstra", "filterbank"):
        raise ValueError(f'kind={kind!r} must be "cepstra" or "filterbank".')


def _only(transformer: MFCCTransformer, recording: Any) -> Clip:
    return transformer.extract([recording])[0]


def _centres(transformer: MFCCTransformer, recording: Any) -> NDArray[np.float64]:
    rate = transformer.sample_rate
    if rate is None:
        channel = "left" if transformer.channel == "interleaved" else transformer.channel
        _, rate = read_audio(recording, channel=channel)
    fmax = rate / 2 if transformer.fmax is None else transformer.fmax
    corners = filter_corners(transformer.n_filters, fmin=transformer.fmin, fmax=fmax, scale=transformer.scale)
    return corners[1:-1]


def _standardized(values: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)

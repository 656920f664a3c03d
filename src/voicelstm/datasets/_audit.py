"""Whether something other than the voice gives the labels away."""

import logging
import os
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from voicelstm._base import json_text, json_value
from voicelstm.audio import MOST_LISTED, check_channel, list_failures, report_remarks, say_how_many_failed
from voicelstm.datasets._audit_variables import (
    CODING_TRACES,
    VARIABLES,
    Measured,
    OneVariable,
    measure,
    rate_variables,
)
from voicelstm.datasets._groups import enough_speakers, group_columns
from voicelstm.exceptions import AudioError, AuditWarning
from voicelstm.metrics import check_human

# The module is not called audit: importing it would put a module where voicelstm.audit, the function, is.
__all__ = ["AuditReport", "Duplicates", "OneVariable", "SharedValues", "audit"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SharedValues:
    """Which values of a column of `groups` stand on both sides.

    Attributes
    ----------
    column : str
        Such as "speaker".
    n_values : int
        Distinct values.
    classes : list
        Those that have human and synthetic clips.
    splits : list
        Those that are in more than one split.
    """

    column: str
    n_values: int
    classes: list[Any]
    splits: list[Any]


@dataclass(frozen=True)
class Duplicates:
    """Recordings of equal samples, in the sense of `MFCCTransformer.fingerprints_`.

    Recordings of one value, such as silence, are none: they are equal to all others of their length.

    Attributes
    ----------
    positions : list of int
        Where they stand in `recordings`, two or more.
    names : list of str
        Their paths; "[3]" for the fourth recording where it is none.
    across_classes, across_splits : bool
        Whether they are of both classes, or in more than one split.
    """

    positions: list[int]
    names: list[str]
    across_classes: bool
    across_splits: bool


@dataclass(frozen=True)
class AuditReport:
    """What :func:`~voicelstm.audit` found; printed, it is a table.

    Attributes
    ----------
    n_human, n_synthetic : int
        Clips.
    variables : list of OneVariable
        In the order of the table.
    drawn : str
        What the intervals draw: "speaker", or "clip" where speakers were not given or a class has fewer than
        five.
    groups : list of SharedValues
        One per column of `groups`.
    duplicates : list of Duplicates
        In the order of their first recordings, also those within one class and split.
    measurements : dict of str to ndarray of shape (n_clips,)
        The numbers of each recording, by the variables' names; not part of `to_dict`.
    """

    n_human: int
    n_synthetic: int
    variables: list[OneVariable]
    drawn: str
    groups: list[SharedValues]
    duplicates: list[Duplicates]
    measurements: dict[str, NDArray[np.float64]] = field(repr=False, compare=False)

    def __getitem__(self, name: str) -> OneVariable:
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(name)

    @property
    def shortcuts(self) -> list[OneVariable]:
        """The variables that give the class away, the strongest first."""
        return sorted((each for each in self.variables if each.is_shortcut), key=lambda v: -abs(v.auc - 0.5))

    @property
    def undecided(self) -> list[OneVariable]:
        """The variables of which clips or speakers are too few to tell, in the order of the table."""
        return [each for each in self.variables if each.is_undecided]

    @property
    def cautions(self) -> list[str]:
        """What could not be told, one sentence each; :func:`~voicelstm.audit` warns of it, too."""
        undecided = self.undecided
        if not undecided:
            return []
        by_speaker = any(each.column == "speaker" for each in self.groups)
        told = f"Too few {'speakers or clips' if by_speaker else 'clips'} to tell whether"
        if len(undecided) == len(self.variables):
            return [f"{told} a number gives the classes away: even AUC 0.9 could be chance."]
        names = ", ".join(each.name for each in undecided)
        return [f"{told} one of these gives the classes away: {names}. Even AUC 0.9 could be chance."]

    @property
    def findings(self) -> list[str]:
        """What :func:`~voicelstm.audit` found, one sentence each; empty where all is well, or untold."""
        found = [
            f"{v.name} alone tells the classes apart: AUC {v.auc:.2f} ({v.low:.2f} to {v.high:.2f}), median"
            f" {_number(v.human)} in human and {_number(v.synthetic)} in synthetic clips."
            for v in self.shortcuts
        ]
        coding = [v.name for v in self.shortcuts if v.name in CODING_TRACES]
        if coding:
            found.append(
                "Such are the traces of MP3, Vorbis, Opus, telephone codecs and noise suppression"
                f" ({', '.join(coding)}): one class may have gone through them and the other not. Trimming"
                " and levelling do not take them away."
            )
        for what, across in (
            ("classes", [each for each in self.duplicates if each.across_classes]),
            ("splits", [each for each in self.duplicates if each.across_splits]),
        ):
            if across:
                names = "; ".join(" = ".join(each.names) for each in across[:3])
                more = "" if len(across) <= 3 else f"; and {len(across) - 3} more"
                found.append(f"Recordings of equal samples stand in different {what}: {names}{more}.")
        for each in self.groups:
            if each.column == "speaker" and each.splits:
                found.append(f"Speakers stand in more than one split: {_listed(each.splits)}.")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the report as dicts, lists, strings and numbers; None for numbers that are not finite."""
        return {
            "n_human": self.n_human,
            "n_synthetic": self.n_synthetic,
            "drawn": self.drawn,
            "variables": [
                json_value(asdict(each))
                | {"is_shortcut": each.is_shortcut, "is_undecided": each.is_undecided}
                for each in self.variables
            ],
            "groups": [asdict(each) for each in self.groups],
            "duplicates": [asdict(each) for each in self.duplicates],
            "findings": self.findings,
            "cautions": self.cautions,
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json_text(self.to_dict())

    def __str__(self) -> str:
        lines = [
            f"{self.n_human} human and {self.n_synthetic} synthetic clips; AUC of one number at a time,"
            f" synthetic over human; 95 % intervals that draw each {self.drawn}",
            f"{'':18}{'AUC':>6}{'interval':>14}{'human':>12}{'synthetic':>12}",
        ]
        for v in self.variables:
            interval = f"{v.low:.2f} to {v.high:.2f}"
            lines.append(
                f"{v.name:18}{v.auc:6.2f}{interval:>14}{_number(v.human):>12}{_number(v.synthetic):>12}"
                f" {v.unit:5}{_verdict(v)}".rstrip()
            )
        for each in self.groups:
            text = f"{each.column}: {each.n_values} distinct, {len(each.classes)} of them in both classes"
            if each.splits:
                text += f", {len(each.splits)} in more than one split"
            lines.append(text)
        across = sum(each.across_classes or each.across_splits for each in self.duplicates)
        lines.append(
            f"duplicates: {len(self.duplicates)} sets of equal recordings, {across} of them across classes or"
            " splits"
        )
        return "\n".join(lines + self.cautions)


def audit(
    recordings: Sequence[Any],
    y: ArrayLike,
    groups: Any = None,
    *,
    splits: ArrayLike | None = None,
    human_label: Any = None,
    sample_rate: int | None = None,
    channel: int | str = "mean",
    n_resamples: int = 2000,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> AuditReport:
    """Ask whether something other than the voice gives the labels of a corpus away.

    Where synthetic clips are shorter, louder or cut closer than human ones, a detector learns that, scores
    well, and fails on the next corpus. So it does where one class was once MP3 and the other was not. Each of
    sixteen numbers is taken for a detector of its own. A number that tells the classes apart has to be made
    useless before training, by trimming, levelling, cutting, resampling, and coding both classes alike, or
    the detector has to be shown to do better than it.

    Read more in the :ref:`user guide <evaluation>`.

    Parameters
    ----------
    recordings : sequence of recordings
        As :class:`~voicelstm.MFCCTransformer` takes them in a list: paths, pairs ``(samples, sample_rate)``,
        arrays.
    y : array-like of shape (n_clips,)
        Labels of two classes.
    groups : mapping of str to array-like, data frame or array-like of shape (n_clips,), default=None
        The loaders' `groups`. With a column "speaker", whole speakers are permuted, and labels within
        speakers of both classes; the intervals draw whole speakers where each class has five or more. One
        array is the speaker.
    splits : array-like of shape (n_clips,), default=None
        Where each clip is used, such as "train" and "test".
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    sample_rate : int, default=None
        Of recordings that are arrays, in Hz. Nothing is resampled.
    channel : int, "mean", "left" or "right", default="mean"
        Channel of each recording that is measured, as :class:`~voicelstm.MFCCTransformer` takes it.
    n_resamples : int, default=2000
        How often speakers are drawn for the intervals.
    n_jobs : int, default=None
        How many recordings are read at once. None is 1, -1 one per processor.
    random_state : int, RandomState instance or None, default=None
        What is drawn. Pass an int for the same intervals at every call.

    Returns
    -------
    AuditReport
        It can be printed, and turned into JSON.

    Raises
    ------
    AudioError
        Where recordings cannot be read; it names them all.
    ValueError
        If there are not two classes, lengths do not fit, or `channel` is none of these.

    Warns
    -----
    AuditWarning
        If ``max(AUC, 1 - AUC)`` of a number exceeds 0.6 by more than chance, equal recordings are in both
        classes or in several splits, or speakers are in several splits. Also if there are too few clips, or
        speakers, to tell of a number whether it gives the classes away.

    See Also
    --------
    voicelstm.datasets.UnseenSystems : Splits by speaker and system.

    Notes
    -----
    ================== =======================================================================================
    duration           of the whole recording, in s
    leading_silence    until a sample exceeds 2 % of the peak, in s
    trailing_silence   after the last such sample, in s
    level              root mean square of the whole recording, in dB relative to full scale
    peak               largest magnitude, in dB relative to full scale
    noise_floor        power that 5 % of the frames do not exceed, relative to that of 95 %, in dB
    dc                 magnitude of the mean; full scale is 1
    sample_rate        as stored, in Hz
    bandwidth          frequency below which 95 % of the energy lies, in Hz
    upper_edge         highest frequency that the loudest hundredth of the frames reaches, in Hz: at most
                       60 dB below the strongest one
    spectral_holes     share of the spectrogram, from 1 to 7.6 kHz, that is nearly empty between
                       frequencies that are not, and no louder than the pauses
    bit_depth          in which each sample is stored, in bit; 0 where the format stores none, as MP3
    effective_bits     that the samples need as integers, trailing zeros left out; 32 where 24 are too few
    resolution         bits of a format whose steps are those between the values of the weaker half of
                       the samples; 16 where they are finer
    zeros              share of samples that are exactly 0
    clipping           share of samples at full scale, that is at least 32767 / 32768
    ================== =======================================================================================

    Three of them are traces of coding. `upper_edge` sees low-pass filters, as of MP3 or telephones [2]_.
    `spectral_holes` sees what an encoder, such as MP3's, left out because nobody would hear it: noise is
    added to speech and does not stop while someone speaks. So what is weaker than the pauses, and 12 dB
    weaker than its neighbours, in a frame of 32 ms and a band of 190 Hz, has been taken away. That outlives
    decoding, resampling and changes of level, unlike the statistics of MDCT coefficients by which double
    compression is found [3]_. Noise suppression and the inversion of a mel spectrogram leave holes, too.
    `resolution` sees the coarse steps of mu-law, A-law, G.726 and GSM, whatever the level, in what was not
    resampled since. Opus fills holes with noise, and can be missed.

    Sixteen numbers are sixteen chances to be wrong. A number is called a shortcut only if the best of all
    sixteen does as well in at most one of twenty permutations of the labels (step-down maximum statistics
    [1]_), so that of corpora in which nothing gives the labels away at most one in twenty has a shortcut.
    Clips of one speaker are alike. What differs between speakers is tested by permuting speakers whole, each
    with the share of human clips that another has; what differs between the clips of a speaker who has both
    classes, by permuting the labels of that speaker's clips. A mean over many clips varies less than one
    clip. So if the speakers of one class have more clips, as many of theirs are drawn as half of the other
    class's speakers have. Each speaker counts once, and the clearer of the two differences is taken, in the
    corpus as in each permutation. Where even an AUC of 0.9 would not be told from chance, the answer is "too
    few to tell", and not that nothing was found; that is so of fewer than about nine clips, or speakers, of
    each class, and of fewer than five to seven speakers who have both. The intervals are those of one number
    alone.

    Duplicates are found by their samples, whatever the format
    and the sample rate say. A speaker who stands in both classes is no leak by itself: copies of human clips
    are the best protection against a detector that knows speakers. But it is one as soon as a split ignores
    speakers, which is why the report counts them.

    A number may give the class away within a part of a corpus and not in the whole: audit parts separately.

    References
    ----------
    .. [1] P. H. Westfall and S. S. Young, "Resampling-based multiple testing", 1993.
    .. [2] B. D'Alessandro and Y. Q. Shi, "MP3 bit rate quality detection through frequency spectrum
       analysis", MM&Sec 2009.
    .. [3] R. Yang, Y. Q. Shi and J. Huang, "Detecting double compression of audio signal", SPIE 7541, 2010.

    Examples
    --------
    >>> from voicelstm import audit
    >>> from voicelstm.datasets import make_voices
    >>> voices = make_voices(60, random_state=0)
    >>> report = audit(voices.recordings, voices.target, voices.groups, random_state=0)
    >>> report.shortcuts
    []
    >>> print(report.groups[0].column, len(report.groups[0].classes))
    speaker 20
    """
    if isinstance(recordings, str | os.PathLike):
        raise ValueError(
            f"Expected a list of recordings, got the single path {os.fspath(recordings)!r}: pass [path]."
        )
    check_channel(channel, each=False)
    recordings = list(recordings)
    human, _, _ = check_human(y, human_label, "y")
    if len(human) != len(recordings):
        raise ValueError(f"y has {len(human)} labels for {len(recordings)} recordings.")
    columns = group_columns(groups, len(recordings))
    split = None if splits is None else group_columns({"splits": splits}, len(recordings))["splits"]

    _log.info("measuring %d recordings", len(recordings))
    measured = _measure_all(recordings, sample_rate, channel, n_jobs)
    measurements = {name: np.array([each.values[name] for each in measured]) for name in VARIABLES}
    speaker = columns.get("speaker")
    drawn = speaker if speaker is not None and enough_speakers(speaker, human) else None
    random = np.random.RandomState() if random_state is None else check_random_state(random_state)
    report = AuditReport(
        n_human=int(human.sum()),
        n_synthetic=int((~human).sum()),
        variables=rate_variables(measurements, human, speaker, drawn, n_resamples, random),
        drawn="clip" if drawn is None else "speaker",
        groups=[
            SharedValues(
                column=name,
                n_values=len(np.unique(values)),
                classes=_on_several_sides(values, human),
                splits=[] if split is None else _on_several_sides(values, split),
            )
            for name, values in columns.items()
        ],
        duplicates=_duplicates(recordings, [each.fingerprint for each in measured], human, split),
        measurements=measurements,
    )
    if report.findings or report.cautions:
        warnings.warn("\n".join(report.findings + report.cautions), AuditWarning, stacklevel=2)
    return report


def _measure_all(
    recordings: list[Any], sample_rate: int | None, channel: int | str, n_jobs: int | None
) -> list[Measured]:
    folder = None
    with suppress(FileNotFoundError):  # without a folder, absolute paths are read all the same
        folder = str(Path.cwd())  # that of a worker process is the one of its start
    found = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(_measure_or_say_why)(each, sample_rate, folder, channel) for each in recordings
    )
    failures = [(position, each) for position, each in enumerate(found) if isinstance(each, str)]
    if failures:
        raise AudioError(
            f"{say_how_many_failed(len(failures), len(recordings))} (position, reason):\n"
            f"{list_failures(failures)}\nLeave {'it' if len(failures) == 1 else 'them'} out.",
            failures,
        )
    report_remarks(remark for each in found for remark in each.remarks)
    return found


def _measure_or_say_why(
    recording: Any, sample_rate: int | None, folder: str | None, channel: int | str
) -> Measured | str:
    """Measure one recording; why it fails is an answer, too."""
    try:
        return measure(recording, sample_rate, folder, channel)
    except AudioError as error:
        return str(error)


def _on_several_sides(values: NDArray[Any], side: NDArray[Any]) -> list[Any]:
    """List the values that occur together with more than one side."""
    names, code = np.unique(values, return_inverse=True)
    sides, side_code = np.unique(side, return_inverse=True)
    pairs = np.unique(code * len(sides) + side_code)
    return names[np.bincount(pairs // len(sides), minlength=len(names)) > 1].tolist()


def _duplicates(
    recordings: list[Any],
    fingerprints: list[int | None],
    human: NDArray[np.bool_],
    split: NDArray[Any] | None,
) -> list[Duplicates]:
    positions: dict[int, list[int]] = {}
    for position, fingerprint in enumerate(fingerprints):
        if fingerprint is not None:
            positions.setdefault(fingerprint, []).append(position)
    return [
        Duplicates(
            positions=equal,
            names=[_name(recordings[position], position) for position in equal],
            across_classes=len(set(human[equal].tolist())) > 1,
            across_splits=split is not None and len(set(split[equal].tolist())) > 1,
        )
        for equal in positions.values()
        if len(equal) > 1
    ]


def _name(recording: Any, position: int) -> str:
    return os.fspath(recording) if isinstance(recording, str | os.PathLike) else f"[{position}]"


def _listed(values: Iterable[Any]) -> str:
    names = [str(value) for value in values]
    more = "" if len(names) <= MOST_LISTED else f" and {len(names) - MOST_LISTED} more"
    return ", ".join(names[:MOST_LISTED]) + more


def _verdict(variable: OneVariable) -> str:
    return "shortcut" if variable.is_shortcut else "too few to tell" if variable.is_undecided else ""


def _number(value: float) -> str:
    return f"{value:.4g}"

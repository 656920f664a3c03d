"""What a detector is worth: error rates, costs and calibration, as a whole and per system or speaker."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from voicelstm._compat import num_samples, safe_indexing
from voicelstm.datasets import enough_speakers, group_columns
from voicelstm.detector._evaluation_report import MEASURES, EvaluationReport, Measure, Row
from voicelstm.detector._members import features_and_rest, have_same_features, memoized
from voicelstm.detector._resampling import resampled_measures
from voicelstm.detector._training_recordings import TrainingRecordings, warn_of_training_recordings
from voicelstm.exceptions import SequenceWarning
from voicelstm.metrics import (
    as_labels,
    check_human,
    check_threshold,
    human_label_of,
    log_likelihood_ratios,
    percentile_interval,
    suppress_sign_warning,
    synthetic_log_odds,
    two_classes,
    warn_of_sign,
)

__all__ = ["EvaluationReport", "Measure", "Row", "evaluate"]

_MOST_VALUES = 30  # of a column, whose values get rows without being asked for


def evaluate(
    detector: Any,
    recordings: Any,
    y: ArrayLike,
    groups: Any = None,
    *,
    by: Sequence[str] | None = None,
    threshold: float | None = None,
    human_label: Any = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
    **costs: float,
) -> EvaluationReport:
    """Measure a fitted detector on recordings that it has not seen.

    Read more in the :ref:`user guide <evaluation>`.

    Parameters
    ----------
    detector : classifier
        Fitted, of two classes, with `decision_function` or `predict_proba`: a Pipeline, such as that of
        :func:`~voicelstm.make_detector`, or any classifier of scikit-learn's form.
    recordings : object
        What the detector takes, one entry per clip.
    y : array-like of shape (n_clips,)
        Labels, the two of the detector.
    groups : mapping of str to array-like, data frame or array-like of shape (n_clips,), default=None
        The loaders' `groups`. The intervals draw whole speakers where there is a column "speaker" with five
        or more in each class; one array is the speaker.
    by : sequence of str, default=None
        Columns of `groups` whose values get rows. If None, those of at most 30 values; the report names the
        others.
    threshold : float, default=None
        Log-odds of synthetic from which a clip is taken for synthetic, such as that of
        :func:`~voicelstm.metrics.equal_error_threshold` on other recordings; of a calibrated detector, too.
        If None, `predict` decides, by the detector's own threshold.
    human_label : label, default=None
        Human class. If None, the detector says, or it is recognised by its spelling ("human", "bonafide",
        "real", ...); of 0 and 1 it must be given.
    n_resamples : int, default=1000
        How often clips, or speakers, are drawn for the intervals. 0 leaves the intervals out.
    confidence : float, default=0.95
        Of the intervals.
    random_state : int, RandomState instance or None, default=None
        What is drawn. Pass an int for the same intervals at every call.
    **costs
        `synthetic_prior`, `cost_miss` and `cost_false_alarm` of :func:`~voicelstm.metrics.min_dcf` and
        :func:`~voicelstm.metrics.act_dcf`.

    Returns
    -------
    EvaluationReport
        It can be printed, and turned into JSON or a data frame.

    Raises
    ------
    ValueError
        Where `y` does not hold the detector's two classes, a column of `by` is unknown, lengths do not fit,
        a parameter is out of range, or `human_label` contradicts what the detector knows.
    TypeError
        If `threshold` is no number.

    Warns
    -----
    ScoreWarning
        If the equal error rate of all clips is above 0.5: the sign of the scores, or the labels, may be
        turned round.
    SequenceWarning
        Where the detector gives NaN for clips, as it does for recordings that failed; they are left out.
    HeldOutWarning
        If recordings were in the detector's training, by their samples (`fingerprints_` of MFCCTransformer).
        They are not left out.

    See Also
    --------
    voicelstm.metrics : The measures one by one.
    audit : What a single number would score.

    Notes
    -----
    =========== ==============================================================================================
    eer         :func:`~voicelstm.metrics.equal_error_rate`; knows no threshold
    min_dcf     :func:`~voicelstm.metrics.min_dcf`, the cost at the best threshold for these very clips
    act_dcf     :func:`~voicelstm.metrics.act_dcf`, the cost at the threshold that suits log-likelihood ratios
    cllr        :func:`~voicelstm.metrics.cllr`, in bits
    miss        share of human clips that are taken for synthetic ones, as decided
    false_alarm share of synthetic clips that are taken for human ones, as decided
    =========== ==============================================================================================

    The row of a value that only synthetic clips have, such as a system, sets these against *all* human clips
    (`against` of the row, and a mark in the table), which are then the same in each such row;
    that of a value that only human clips have sets them against all synthetic ones, and is left out where it
    would repeat the first row. The row of a value that both have, such as a language or a codec, takes both
    from within the value.

    Where a class of a row has fewer than five speakers, as in the row of one speaker, intervals draw clips:
    they tell nothing of other speakers. The table marks such rows. Log-likelihood ratios are those of
    :func:`~voicelstm.metrics.make_detection_scorer`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from voicelstm import evaluate
    >>> score = np.array([[-2.0], [-1.0], [1.0], [-1.5], [2.0], [3.0]])
    >>> y = np.repeat(["human", "synthetic"], 3)
    >>> system = ["-", "-", "-", "old", "new", "new"]
    >>> detector = LogisticRegression().fit([[-1.0], [1.0]], ["human", "synthetic"])
    >>> report = evaluate(detector, score, y, {"system": system}, random_state=0)
    >>> report.overall.miss.value == report.overall.false_alarm.value == 1 / 3
    True
    >>> report["system", "new"].eer.value, report["system", "old"].false_alarm.value
    (0.0, 1.0)
    """
    labels = as_labels(y, "y")
    n_clips = num_samples(recordings)
    if len(labels) != n_clips:
        raise ValueError(f"y has {len(labels)} labels for {n_clips} recordings.")
    _check_classes(detector, labels)
    human, human_is, _ = check_human(labels, human_label_of(detector, human_label), "y")
    columns = group_columns(groups, n_clips)
    n_values = {name: len(np.unique(values)) for name, values in columns.items()}
    left_out = {name: n for name, n in n_values.items() if by is None and n > _MOST_VALUES}
    by = [name for name in columns if name not in left_out] if by is None else list(by)
    unknown = [name for name in by if name not in columns]
    if unknown:
        raise ValueError(f"by names {unknown}, but groups has the columns {list(columns)}.")
    check_threshold(threshold)
    if n_resamples < 0:
        raise ValueError(f"n_resamples={n_resamples!r} must not be negative.")

    heard = TrainingRecordings(detector)
    kept, score, ratio, accepted = _scores(heard.detector, recordings, human_is, threshold)
    in_training = heard.positions()
    warn_of_training_recordings(recordings, in_training, stacklevel=2)
    human, columns = human[kept], {name: values[kept] for name, values in columns.items()}
    # One seed for all, so that rows and measures see the same draws.
    random = np.random.RandomState() if random_state is None else check_random_state(random_state)
    measuring = _Measuring(
        human=human,
        responses={"score": score, "ratio": ratio, "accepted": accepted},
        costs=costs,
        # As numbers, in which hundreds of rows are sorted faster than in names.
        speaker=np.unique(columns["speaker"], return_inverse=True)[1] if "speaker" in columns else None,
        n_resamples=n_resamples,
        confidence=confidence,
        seed=int(random.randint(np.iinfo(np.int32).max)),
    )
    with suppress_sign_warning():  # of all clips it is said below, of few clips it says little
        rows = [measuring.row("all", "all", np.ones(len(human), dtype=bool))]
        for name in by:
            values = columns[name]
            for value in np.unique(values):
                chosen, against = values == value, None
                if not (chosen & human).any():
                    chosen, against = chosen | human, "human"
                elif not (chosen & ~human).any():
                    if (chosen == human).all():
                        continue
                    chosen, against = chosen | ~human, "synthetic"
                rows.append(measuring.row(name, value.item(), chosen, against))
    warn_of_sign(rows[0].eer.value, stacklevel=3)
    n_without_score = int(np.count_nonzero(~kept))
    n_in_training = None if in_training is None else len(in_training)
    return EvaluationReport(rows, threshold, confidence, n_without_score, n_in_training, left_out)


def _check_classes(detector: Any, labels: NDArray[Any]) -> None:
    classes = np.asarray(getattr(detector, "classes_", [])).tolist()
    _, found = two_classes(labels, "y")
    if len(classes) != 2 or set(classes) != set(found):
        raise ValueError(
            f"The detector must be a fitted classifier of the two classes of y, {sorted(found)}; its classes"
            f" are {classes}."
        )


def _scores(detector: Any, X: Any, human_is: Any, threshold: float | None) -> tuple[NDArray[Any], ...]:
    """Return which clips have scores, and of these scores and ratios for human, and who was accepted."""
    classes = np.asarray(detector.classes_).tolist()
    X, detector = _read(X, detector)
    detector = memoized(detector)
    score = synthetic_log_odds(detector, X, human_is)
    kept = ~np.isnan(score)
    if not kept.all():
        missing = np.flatnonzero(~kept)
        warnings.warn(
            f"{len(missing)} of {len(score)} clips have no score and are left out, positions"
            f" {missing.tolist()}.",
            SequenceWarning,
            stacklevel=3,
        )
        score, X = score[kept], safe_indexing(X, np.flatnonzero(kept))
    ratio = log_likelihood_ratios(detector, X)
    direction = 1 if classes[1] == human_is else -1
    accepted = np.asarray(detector.predict(X)) == human_is if threshold is None else score < threshold
    return kept, 0.0 - score, direction * ratio, accepted


def _read(X: Any, detector: Any) -> tuple[Any, Any]:
    """Read the recordings; return their features, and what decides from these."""
    # So that recordings are not read again where those without a score are left out.
    if have_same_features(detector):
        transformer, rest = features_and_rest(detector)
        return transformer.transform(X), rest
    if isinstance(detector, Pipeline) and len(detector) > 1:
        return detector[:-1].transform(X), detector[-1]
    return X, detector


@dataclass(frozen=True)
class _Measuring:
    """All that is the same for every row."""

    human: NDArray[np.bool_]
    responses: dict[str, NDArray[Any]]
    costs: dict[str, float]
    speaker: NDArray[Any] | None
    n_resamples: int
    confidence: float
    seed: int

    def row(self, group: str, value: Any, chosen: NDArray[np.bool_], against: str | None = None) -> Row:
        """Measure the chosen clips, of both classes."""
        human = self.human[chosen]
        n_human, n_synthetic = int(human.sum()), int((~human).sum())
        speaker, drawn = None, None
        if min(n_human, n_synthetic) > 1 and self.n_resamples:
            drawn = "clip"
            if self.speaker is not None and enough_speakers(self.speaker[chosen], human):
                speaker, drawn = self.speaker[chosen], "speaker"
        labels = human.astype(int)
        responses = {name: values[chosen] for name, values in self.responses.items()}
        resampled = {}
        if drawn:
            resampled = resampled_measures(human, responses, speaker, self.costs, self.n_resamples, self.seed)
        found = {}
        for name, definition in MEASURES.items():
            values = responses[definition.of]
            costs = self.costs if definition.takes_costs else {}
            # Here scores and ratios speak for human, which is 1.
            known = {} if definition.of == "accepted" else {"human_label": 1, "pos_label": 1}
            low = high = float("nan")
            if drawn:
                low, high = percentile_interval(resampled[name], self.confidence)
            found[name] = Measure(float(definition.metric(labels, values, **known, **costs)), low, high)
        return Row(group, value, n_human, n_synthetic, drawn, **found, against=against)

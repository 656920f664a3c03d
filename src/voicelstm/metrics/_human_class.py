"""Which of two classes is the human one, and labels that may be taken for each other."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline

from voicelstm.metrics._responses import held_by

__all__ = [
    "check_distinct_labels",
    "choose_human_label",
    "confusable_labels",
    "human_label_of",
    "recognised_human_label",
]

#: Spellings, without blanks, hyphens and underscores, in lower case.
HUMAN_SPELLINGS = frozenset({"human", "bonafide", "genuine", "real", "live", "natural", "authentic"})
SYNTHETIC_SPELLINGS = frozenset(
    {
        *("synthetic", "synthetised", "synthetized", "synthesised", "synthesized", "synthesis"),
        *("spoof", "spoofed", "spoofing", "fake", "deepfake", "tts", "vc", "texttospeech", "voiceconversion"),
        *("generated", "aigenerated", "ai", "artificial", "machine", "cloned", "clone", "bot", "replay"),
    }
)


def recognised_human_label(classes: Iterable[Any]) -> Any:
    """Return the one of two classes that is spelt as human, where the other is not; else None."""
    labels = list(classes)
    human = [label for label in labels if _spelling(label) in HUMAN_SPELLINGS]
    return human[0] if len(labels) == 2 and len(human) == 1 else None


def choose_human_label(classes: Sequence[Any], human_label: Any = None) -> Any:
    """Return the human one of two classes: as given, or else as recognised by its spelling."""
    if human_label is None:
        human_label = recognised_human_label(classes)
        if human_label is None:
            raise ValueError(
                f"human_label must say which of the classes {list(classes)} is the human one: it is not known"
                " by its spelling. Of 0 and 1, some corpora have 1 for human, others 1 for fake."
            )
        return human_label
    for label in classes:
        if label == human_label and isinstance(label, str) == isinstance(human_label, str):
            return label
    raise ValueError(f"human_label={human_label!r} is none of the classes {list(classes)}.")


def human_label_of(detector: Any, human_label: Any = None) -> Any:
    """Return the human class of a fitted detector: as given, as it knows, or as its spelling says."""
    classes = np.asarray(detector.classes_).tolist()
    if human_label is None:
        human_label = _known_to(detector, classes)
    return choose_human_label(classes, human_label)


def _known_to(detector: Any, classes: list[Any]) -> Any:
    """Return `human_label_` of what a detector holds, or None."""
    while detector is not None:
        known = getattr(detector, "human_label_", None)
        if known is not None:
            # A vote fits its members on numbers of its own.
            return known if known in classes else None
        detector = _held(detector)
    return None


def _held(detector: Any) -> Any:
    if isinstance(detector, Pipeline):
        return detector[-1]
    if isinstance(detector, CalibratedClassifierCV):
        return detector.calibrated_classifiers_[0].estimator
    if isinstance(detector, VotingClassifier):
        return detector.estimators_[0]
    return held_by(detector)


def check_distinct_labels(labels: Iterable[Any], name: str = "y") -> None:
    """Refuse labels that are missing, or differ from others only in case, blanks or spelling of a number."""
    missing, confused = confusable_labels(labels)
    if missing:
        raise ValueError(
            f"{name} holds {missing[0]!r}, which is no label. Leave these recordings out, or label them."
        )
    if confused:
        raise ValueError(
            f"{name} holds labels that differ only in spelling: "
            + "; ".join(" and ".join(map(repr, spellings)) for spellings in confused)
            + ". They would be classes of their own: write each label in one way."
        )


def confusable_labels(labels: Iterable[Any]) -> tuple[list[Any], list[list[Any]]]:
    """Return what is no label, and those labels that differ only in spelling, together."""
    alike: dict[Any, list[Any]] = defaultdict(list)
    for label in labels:
        alike[_meaning(label)].append(label)
    return alike.pop(None, []), [spellings for spellings in alike.values() if len(spellings) > 1]


def _spelling(label: Any) -> str:
    return re.sub(r"[\s_-]+", "", label).casefold() if isinstance(label, str) else ""


def _meaning(label: Any) -> Any:
    """Return what labels that differ only in spelling share; None is no label."""
    if label is None:
        return None
    try:
        number = float(label)
    except (TypeError, ValueError):
        return _spelling(label) or None
    return None if math.isnan(number) else number

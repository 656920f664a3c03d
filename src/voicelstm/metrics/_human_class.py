"""Which of two classes is the human one, and labels that may be taken for each other."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from voicelstm._base import is_instance_of
from voicelstm.metrics._responses import held_by

__all__ = [
    "check_distinct_labels",
    "choose_human_label",
    "confusable_labels",
    "human_label_of",
    "recognised_human_label",
]

#: At most three digits of exponent, since Decimal has a largest one.
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")

#: What spreadsheets, databases and data frames write where a value is missing, in lower case.
_NO_LABEL = frozenset({"nan", "na", "n/a", "#n/a", "#na", "<na>", "null", "none"})

#: Spellings, without blanks, hyphens and underscores, in lower case.
HUMAN_SPELLINGS = frozenset({"human", "bonafide", "genuine", "real", "live", "natural", "authentic"})
#: Those that are human beside any other class, such as the name of a system; "live" may be one of concerts.
UNAMBIGUOUS_SPELLINGS = frozenset({"human", "bonafide", "genuine"})
SYNTHETIC_SPELLINGS = frozenset(
    {
        *("synthetic", "synthetised", "synthetized", "synthesised", "synthesized", "synthesis", "synth"),
        *("syntheticspeech", "speechsynthesis", "spoof", "spoofed", "spoofing", "attack", "fake", "deepfake"),
        *("tts", "vc", "texttospeech", "voiceconversion", "converted", "vocoder", "vocoded", "forged"),
        *("generated", "aigenerated", "ai", "artificial", "machine", "computer", "robot", "bot"),
        *("cloned", "clone", "voiceclone", "voicecloning", "replay", "replayed"),
    }
)


def recognised_human_label(classes: Iterable[Any]) -> Any:
    """Return the one of two classes that is spelt as human, if the other is spelt as synthetic; else None.

    Beside "human", "bonafide" and "genuine" the other may be any that is not spelt as human.
    """
    labels = list(classes)
    human = [label for label in labels if _spelling(label) in HUMAN_SPELLINGS]
    if len(labels) != 2 or len(human) != 1:
        return None
    certain = any(_spelling(label) in SYNTHETIC_SPELLINGS | UNAMBIGUOUS_SPELLINGS for label in labels)
    return human[0] if certain else None


def choose_human_label(classes: Sequence[Any], human_label: Any = None) -> Any:
    """Return the human one of two classes: as given, or else as recognised by its spelling.

    If both classes are spelt as what they are, the other one cannot be given.
    """
    spelt = recognised_human_label(classes)
    if human_label is None:
        if spelt is None:
            raise ValueError(
                f"human_label must say which of the classes {list(classes)} is the human one: it is not known"
                " by its spelling. Of 0 and 1, some corpora have 1 for human, others 1 for fake."
            )
        return spelt
    chosen = _class_of(classes, human_label)
    if spelt is not None and chosen != spelt and _spelling(chosen) in SYNTHETIC_SPELLINGS:
        raise ValueError(
            f"human_label={chosen!r} contradicts the spelling of the classes {list(classes)}, of which"
            f" {spelt!r} is the human one. Leave human_label None, or call the classes what they are."
        )
    return chosen


def human_label_of(detector: Any, human_label: Any = None) -> Any:
    """Return the human class of a fitted detector: as it knows, as its spelling says, or else as given.

    A human label that is given must not contradict the one that is known.
    """
    classes = np.asarray(detector.classes_).tolist()
    known = _known_to(detector, classes)
    if human_label is None:
        return choose_human_label(classes) if known is None else _class_of(classes, known)
    chosen = _class_of(classes, human_label)
    if known is None:
        known = recognised_human_label(classes)
    if known is not None and chosen != known:
        raise ValueError(
            f"human_label={chosen!r} contradicts the detector, which knows {known!r} as the human one of its"
            f" classes {classes}. Leave human_label None; if the detector is wrong, train it again with the"
            " right one."
        )
    return chosen


def _class_of(classes: Sequence[Any], human_label: Any) -> Any:
    for label in classes:
        if label == human_label and isinstance(label, str) == isinstance(human_label, str):
            return label
    raise ValueError(f"human_label={human_label!r} is none of the classes {list(classes)}.")


def _known_to(detector: Any, classes: list[Any]) -> Any:
    """Return the `human_label_` on which all agree that a detector holds and that know one, or None."""
    known = _all_known_to(detector, classes)
    if len(known) > 1:
        raise ValueError(
            f"The members of the detector contradict each other: of its classes {classes}, some know"
            f" {' and others '.join(sorted(map(repr, known)))} as the human one. Train them again with one"
            " human_label."
        )
    return next(iter(known), None)


def _all_known_to(detector: Any, classes: list[Any]) -> set[Any]:
    known = getattr(detector, "human_label_", None)
    if known is None:
        return {label for held in _held(detector) for label in _all_known_to(held, classes)}
    # A vote fits its members on numbers of its own, of which 1 may be the class 2.
    return {known} if np.asarray(getattr(detector, "classes_", classes)).tolist() == classes else set()


def _held(detector: Any) -> list[Any]:
    if isinstance(detector, Pipeline):
        return [detector[-1]]
    if isinstance(detector, CalibratedClassifierCV):
        return [calibrated.estimator for calibrated in detector.calibrated_classifiers_]
    if is_instance_of(detector, "sklearn.ensemble", "VotingClassifier"):
        return list(detector.estimators_)
    held = held_by(detector)
    return [] if held is None else [held]


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
    if label is None or label != label:  # NaN
        return None
    if not isinstance(label, str):
        return label
    text = label.strip()
    if not text or text.casefold() in _NO_LABEL:
        return None
    # Not what float() takes for a number: that is 10 of "1_0", and other scripts' digits, too.
    return Decimal(text) if _NUMBER.fullmatch(text) else _spelling(text) or text

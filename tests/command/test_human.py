from pathlib import Path

import click
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from voicelstm.command._human import human_label_for, human_label_in, label_of_text

PATH = Path("detector.voicelstm")


def fitted(classes):
    return LogisticRegression().fit([[0.0], [1.0]], np.array(classes))


@pytest.mark.parametrize(
    ("classes", "text", "expected"),
    [
        (["fake", "real"], None, "real"),
        (["fake", "real"], "real", "real"),
        ([0, 1], "0", 0),
        ([-1, 1], "-1", -1),
        ([0.0, 1.0], "1.0", 1.0),
        (["0", "1"], "1", "1"),
    ],
)
def test_the_human_class_is_the_one_that_is_written_so_or_known(classes, text, expected):
    for found in (human_label_for(fitted(classes), PATH, text), human_label_in(classes * 2, PATH, text)):
        assert (found, type(found)) == (expected, type(expected))


def test_what_is_not_known_is_asked_for_by_the_options_name():
    with pytest.raises(click.UsageError, match=r"detector\.voicelstm has the classes 0 and 1.*--human 1\."):
        human_label_for(fitted([0, 1]), PATH, None)
    with pytest.raises(
        click.UsageError, match=r"labels\.csv has the classes 0 and 1.*--human 0 or --human 1\."
    ):
        human_label_in(np.array([0, 1, 0]), Path("labels.csv"), None)
    assert human_label_in(["a", "b", "c"], Path("labels.csv"), None) is None
    with pytest.raises(click.UsageError, match="--human 2: the classes are 0 and 1"):
        label_of_text("2", [0, 1])


def test_a_human_class_that_contradicts_what_is_known_is_refused_by_the_options_name():
    with pytest.raises(
        click.UsageError, match=r"--human A07 contradicts detector\.voicelstm, which knows human as"
    ):
        human_label_for(fitted(["A07", "human"]), PATH, "A07")
    numbered = fitted([0, 1])
    numbered.human_label_ = 1
    with pytest.raises(
        click.UsageError, match=r"--human 0 contradicts detector\.voicelstm, which knows 1 as"
    ):
        human_label_for(numbered, PATH, "0")
    with pytest.raises(click.UsageError, match=r"--human fake contradicts labels\.csv"):
        human_label_in(["fake", "real"], Path("labels.csv"), "fake")
    assert human_label_in(["A07", "human"], Path("labels.csv"), "A07") == "A07"


def test_of_more_than_two_classes_none_is_given_and_one_may_be_recognised():
    for classes, human in [
        (["human", "tts", "vc"], "human"),
        (["A07", "A08", "Bona fide"], "Bona fide"),
        (["fake", "real", "vc"], "real"),
        (["live", "studio", "tts"], None),
        (["a", "b", "c"], None),
        ([0, 1, 2], None),
    ]:
        detector = LogisticRegression().fit([[0.0], [1.0], [2.0]], classes)
        assert human_label_for(detector, PATH, None) == human
        with pytest.raises(click.UsageError, match=r"--human nonsense is for two classes; .* has 3: "):
            human_label_for(detector, PATH, "nonsense")

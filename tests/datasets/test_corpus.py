import numpy as np
import pytest

from voicelstm.datasets._corpus import as_target, corpus, note_classes
from voicelstm.datasets._problems import Problems
from voicelstm.exceptions import DatasetError


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        (["1", "0"], [1, 0]),
        (["+1", "-1", "01"], [1, -1, 1]),
        (["1", "0.0"], ["1", "0.0"]),
        (["1", "٣"], ["1", "٣"]),  # a digit of another script is no label of 0 and 1
        (["human", "0"], ["human", "0"]),
        ([], []),
    ],
)
def test_labels_become_integers_only_where_every_one_is_written_as_one(labels, target):
    assert as_target(labels).tolist() == target


def test_the_description_counts_classes_in_their_order_and_distinct_groups():
    target = np.array(["synthetic", "human", "synthetic"])
    groups = {"speaker": np.array(["a", "b", "a"]), "fold": np.array([1, 2, 3])}
    found = corpus(["x", "y", "z"], target, groups, "Title.", return_X_y=False)
    assert found.DESCR == (
        "Title.\n\nClasses:\n  human: 1 recording\n  synthetic: 2 recordings\n"
        "Groups:\n  speaker: 2 distinct\n  fold: 3 distinct\n"
    )
    assert (found.recordings, found.target, found.groups) == (["x", "y", "z"], target, groups)


def test_without_groups_the_description_has_no_heading_for_them():
    found = corpus(["x"], np.array([1]), {}, "Title.", return_X_y=False)
    assert found.DESCR == "Title.\n\nClasses:\n  1: 1 recording\n"


def test_the_pair_is_what_was_given():
    recordings, target = ["x"], np.array([1])
    assert corpus(recordings, target, {}, "Title.", return_X_y=True) == (recordings, target)


def test_one_class_is_a_problem_and_labels_that_are_missing_are_no_class():
    problems = Problems("t.csv")
    note_classes(problems, ["human", "", "human"], "Add some.")
    with pytest.raises(DatasetError, match=r"Only one class \(1\)\. Add some\.\n    'human': 2 recordings"):
        problems.raise_any()


def test_one_class_is_no_problem_where_others_could_not_be_read():
    problems = Problems("t.csv")
    note_classes(problems, ["human"], "Add some.", is_whole=False)
    assert not problems


def test_labels_that_are_none_or_differ_only_in_spelling_are_problems_that_name_and_count_them():
    problems = Problems("t.csv")
    note_classes(problems, ["human", "Human", "human", "nan", "synthetic", "1", "1.0"], "Add some.")
    with pytest.raises(DatasetError) as caught:
        problems.raise_any()
    assert str(caught.value).splitlines()[1:] == [
        "- Labels that are none (1). Leave these out, or label them.",
        "    'nan': 1 recording",
        "- Labels that differ only in spelling (2). They would be classes of their own:"
        " write each label in one way.",
        "    'human' (2 recordings) and 'Human' (1 recording)",
        "    '1' (1 recording) and '1.0' (1 recording)",
    ]


@pytest.mark.parametrize("labels", [["human", "synthetic"], ["a", "b", "c"], [], [""]])
def test_several_classes_are_no_problem_and_none_is_not_one(labels):
    problems = Problems("t.csv")
    note_classes(problems, labels, "Add some.")
    problems.raise_any()

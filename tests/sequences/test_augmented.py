import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.utils import _safe_indexing

from tests.sequences.stores import LENGTHS, assert_same, clips_of, fill
from voicelstm.exceptions import SequenceWarning
from voicelstm.sequences import AugmentedSequences, SequenceStore, is_ragged
from voicelstm.sequences._augmented import named_version, versions_of


def sequences_of(copy, lengths=LENGTHS):
    """Sequences that say which recording and which copy they are of."""
    return [np.full((n, 2), 10.0 * copy + position, dtype="float32") for position, n in enumerate(lengths)]


@pytest.fixture(params=["lists", "3-D arrays", "stores"])
def augmented(request, tmp_path):
    if request.param == "stores":
        clips = clips_of(LENGTHS)
        versions = [fill(tmp_path / name, clips[start:] + clips[:start]) for start, name in enumerate("abc")]
    else:
        lengths = LENGTHS if request.param == "lists" else [4] * 6
        versions = [sequences_of(copy, lengths) for copy in range(3)]
    if request.param == "3-D arrays":
        versions = [np.stack(version) for version in versions]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SequenceWarning)  # among the stores' copies is an empty one
        together = AugmentedSequences(versions[0], versions[1:])
    return together, [list(version) for version in versions]


def test_it_is_the_sequence_of_the_recordings_as_they_are(augmented):
    X, (plain, *_) = augmented
    assert (len(X), X.shape, X.ndim, X.dtype) == (6, (6,), 1, object)
    assert_same(list(X), plain)
    assert_same([X[position] for position in range(-6, 6)], [*plain, *plain])
    assert_same([X[np.int64(3)]], [plain[3]])
    assert is_ragged(X)
    assert repr(X) == "<AugmentedSequences: 6 recordings with 2 copies of each>"
    with pytest.raises(IndexError):
        X[6]


@pytest.mark.parametrize(
    ("key", "positions"),
    [
        (np.array([4, 0, 4]), [4, 0, 4]),
        ([5, 1], [5, 1]),
        (slice(1, 5, 2), [1, 3]),
        (np.array([True, False, False, True, False, True]), [0, 3, 5]),
        ([], []),
    ],
    ids=["array", "list", "slice", "mask", "nothing"],
)
def test_a_part_has_the_copies_of_its_recordings(augmented, key, positions):
    X, versions = augmented
    ways = [lambda: _safe_indexing(X, key), lambda: X[key], lambda: pickle.loads(pickle.dumps(X))[key]]
    for chosen in ways:
        part = chosen()
        assert type(part) is AugmentedSequences
        for found, expected in zip(versions_of(part), versions, strict=True):
            assert_same(found, [expected[position] for position in positions])
            assert isinstance(found, SequenceStore) == isinstance(X.plain, SequenceStore)


class Recorder(ClassifierMixin, BaseEstimator):
    def __init__(self, setting=0):
        self.setting = setting

    def fit(self, X, y):
        self.classes_, self.given_ = np.unique(y), X
        return self

    def predict(self, X):
        self.asked_ = X
        return np.resize(self.classes_, len(X))


def test_folds_of_a_cross_validation_keep_copies(augmented):
    X, versions = augmented
    y = np.arange(6) % 2
    found = cross_validate(Recorder(), X, y, cv=3, n_jobs=2, return_estimator=True, return_indices=True)
    assert len(found["estimator"]) == 3
    for estimator, training in zip(found["estimator"], found["indices"]["train"], strict=True):
        for ours, expected in zip(versions_of(estimator.given_), versions, strict=True):
            assert_same(ours, [expected[position] for position in training])
    search = GridSearchCV(Recorder(), {"setting": [0, 1]}, cv=2).fit(X, y)
    assert len(search.best_estimator_.given_.copies) == 2


def test_all_of_it_is_one_list_that_knows_its_recordings(augmented):
    X, versions = augmented
    clips, recording = X.expanded()
    assert_same(clips, [clip for version in versions for clip in version])
    assert recording.tolist() == [*range(6)] * 3


def test_it_loses_no_copies_by_becoming_an_array(augmented):
    with pytest.raises(TypeError, match=r"no place for copies: take its plain, .* or expanded\(\)"):
        np.asarray(augmented[0])


def test_one_of_it_is_said_as_one():
    part = AugmentedSequences(sequences_of(0), [sequences_of(1)])[:1]
    assert repr(part) == "<AugmentedSequences: 1 recording with 1 copy of each>"


def test_a_copy_that_is_not_there_may_be_an_empty_list(augmented):
    X, (plain, *_) = augmented
    for copy in ([[], *plain[1:]], [[]] * 6):
        (found,) = AugmentedSequences(X.plain, [copy]).copies
        assert [clip.shape for clip in found] == [(len(clip), plain[0].shape[1]) for clip in copy]
        assert {clip.dtype for clip in found} == {plain[0].dtype}
    assert AugmentedSequences(plain[:1], [[[]]]).copies[0][0].shape == (0, plain[0].shape[1])
    assert len(AugmentedSequences([], [[]])) == 0


@pytest.mark.parametrize("as_stores", [False, True])
def test_copies_without_frames_are_told_once_unless_they_were_given_as_no_copy(as_stores, tmp_path):
    # Of the third recording there is nothing, so that no copy is missing.
    plain, copy = (clips_of(lengths) for lengths in ([4, 3, 0, 5], [0, 3, 0, 0]))
    if as_stores:
        plain, copy = fill(tmp_path / "plain", plain), fill(tmp_path / "copy", copy)
    else:
        plain, copy = ([clip.features for clip in version] for version in (plain, copy))
    with pytest.warns(SequenceWarning, match=r"of the recordings at positions \[0, 3\]; these keep") as told:
        X = AugmentedSequences(plain, [copy])
    assert [each.filename for each in told] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [len(clip) for clip in X[[3, 0, 1]].copies[0]] == [0, 0, 3]
        given = [[], copy[1], [], []]
        AugmentedSequences(plain, [given, np.array(given, dtype=object)])


@pytest.mark.parametrize(
    ("plain", "copies", "words"),
    [
        (sequences_of(0), [sequences_of(1), sequences_of(2)[:5]], r"copies\[1\] has 5 sequences, .* 6 rec"),
        (np.zeros((4, 3)), [], r"plain is of type ndarray and shape \(4, 3\): expected a list of 2-D"),
        (np.zeros(4), [], r"plain is of type ndarray and shape \(4,\)"),
        (np.zeros((4, 3), object), [], r"plain is of type ndarray and shape \(4, 3\)"),
        (list(np.zeros((4, 3))), [], r"plain\[0\] has shape \(3,\): expected a sequence of shape"),
        ([np.zeros((2, 1)), []], [], r"plain\[1\] has shape \(0,\)"),
        (sequences_of(0), [[*sequences_of(1)[:5], np.zeros(3)]], r"copies\[0\]\[5\] has shape \(3,\)"),
        (
            sequences_of(0),
            None,
            r"copies=None: expected a sequence with the sequences of each copy, .* \[\] for",
        ),
        (sequences_of(0), [iter([])], r"copies\[0\] is of type list_iterator and shape None"),
        (AugmentedSequences(sequences_of(0), []), [], "plain is of type AugmentedSequences"),
    ],
)
def test_what_does_not_belong_together_is_refused(plain, copies, words):
    with pytest.raises(ValueError, match=words):
        AugmentedSequences(plain, copies)


def test_an_error_says_which_copy_it_is_about():
    for number, words in [(0, "^too short$"), (2, r"^Of copies\[1\] of X: too short$")]:
        with pytest.raises(ValueError, match=words), named_version(number):
            raise ValueError("too short")

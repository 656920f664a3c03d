import warnings

import numpy as np
import pytest

from tests.classifier.fits import clips_of, descent, small
from tests.network.stacks import BACKEND
from voicelstm.classifier._labelled import LabelledInput, known_human_label, new_generator
from voicelstm.exceptions import SequenceWarning
from voicelstm.sequences import AugmentedSequences

pytestmark = pytest.mark.every_backend


def test_a_clip_of_weight_zero_might_as_well_be_absent(double_precision):
    X, y = clips_of(16)
    weight = np.linspace(0.5, 2, 16)
    weight[3] = 0
    kept = np.flatnonzero(weight)
    exact = {"dtype": "float64"}
    without = small(**exact).fit([X[i] for i in kept], y[kept], sample_weight=weight[kept])
    weighted = small(**exact).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(weighted.decision_function(X), without.decision_function(X))


REPEATED = np.array([1, 5, 2, 1, 1, 3, 1, 1, 4, 1, 1, 2, 1, 7, 1, 1, 1, 2, 1, 1, 3])


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, 1),
        ({"shuffle": False}, 1),
        ({"max_steps": 21}, 8),
        ({"segment_frames": 12}, 1),
        ({"loss": "squared_error", "label_smoothing": 0.1}, 1),
    ],
)
def test_a_weight_in_many_batches_is_that_many_copies_in_one(changes, passes, double_precision):
    X, y = clips_of(21)
    settings = {"batch_size": 8} | changes
    found = descent(X, y, REPEATED, **settings)
    copies = [X[i] for i in np.repeat(np.arange(21), REPEATED)]
    one_batch = changes | {"batch_size": 256, "max_steps": None}
    mean = descent(copies, np.repeat(y, REPEATED), **one_batch)
    segments = -(-np.array([len(clip) for clip in X]) // settings.get("segment_frames", 999))
    # Each step is the mean over the rows of a full batch, and an epoch has so many of them.
    n_full_batches = passes * segments.sum() / settings["batch_size"]
    np.testing.assert_allclose(found, n_full_batches * mean, rtol=1e-4, atol=1e-6)


def test_weights_of_any_scale_are_the_same_weights(double_precision):
    X, y = clips_of(21)
    plain, larger = (descent(X, y, scale * REPEATED) for scale in (1, 1024))
    np.testing.assert_allclose(larger, plain, rtol=1e-9, atol=1e-9)


def test_a_clip_counts_once_however_many_segments_it_has(double_precision):
    X, y = clips_of(21)
    found = descent(X, y, REPEATED, segment_frames=12, batch_size=8)
    # Segments of 12 frames, cut here by hand, the last of a clip aligned to its end.
    starts = [[*range(0, len(clip) - 12, 12), max(0, len(clip) - 12)] for clip in X]
    pieces = [clip[start : start + 12] for clip, of_clip in zip(X, starts, strict=True) for start in of_clip]
    counts = np.array([len(of_clip) for of_clip in starts])
    assert counts.min() < counts.max()
    share = np.repeat(REPEATED / counts, counts)
    mean = descent(pieces, np.repeat(y, counts), share, batch_size=256)
    np.testing.assert_allclose(found, len(pieces) / 8 * mean, rtol=1e-4, atol=1e-6)


def test_class_weights_multiply_sample_weights_and_do_not_touch_standardisation(double_precision):
    X, y = clips_of(20)
    X, y = X[:13], y[:13]
    by_class = descent(X, y, REPEATED[:13], class_weight={0: 1.0, 1: 3.0})
    by_clip = descent(X, y, REPEATED[:13] * np.where(y == 1, 3.0, 1.0))
    np.testing.assert_allclose(by_class, by_clip, rtol=1e-9, atol=1e-12)
    classifier = small(max_epochs=1, class_weight={0: 1.0, 1: 3.0}).fit(X, y, sample_weight=REPEATED[:13])
    frames = np.concatenate([X[i] for i in np.repeat(np.arange(13), REPEATED[:13])])
    np.testing.assert_allclose(classifier._fitted.statistics.mean, frames.mean(axis=0))
    np.testing.assert_allclose(classifier._fitted.statistics.deviation(), frames.std(axis=0))
    # By hand: classes 0 and 1 weigh 12 and 11, before one of them counts three times.
    assert classifier.log_prior_odds_ == pytest.approx(
        np.log(3 * np.sum(REPEATED[1:13:2]) / np.sum(REPEATED[:13:2]))
    )


def checked(labels, weight=None, classes=None, class_weight=None, one_pass=False, lengths=None):
    clips = [np.zeros((n, 2)) for n in (lengths or [3] * len(labels))]
    return LabelledInput.checked(clips, labels, weight, classes, class_weight, one_pass)


def test_a_balanced_weight_makes_the_weights_of_the_classes_equal():
    found = checked(["h", "s", "s", "s"], weight=[2, 1, 1, 4], class_weight="balanced")
    # By hand: classes weigh 2 and 6 of 8, and each gets 4.
    np.testing.assert_allclose(found.weight, [4, 2 / 3, 2 / 3, 8 / 3])
    np.testing.assert_allclose(found.class_totals(), [4, 4])
    assert found.sample_weight.tolist() == [2, 1, 1, 4]


def test_clips_without_frames_or_weight_are_left_out():
    with pytest.warns(SequenceWarning, match=r"1 empty clips .* positions \[1\]"):
        found = checked([5, 5, 7, 7], weight=[1, 1, 0, 3], lengths=[2, 0, 2, 4])
    assert [len(clip) for clip in found.clips] == [2, 4]
    assert found.classes[found.target].tolist() == [5, 7]


def test_labels_are_numbers_for_two_classes_and_one_hot_for_more():
    assert checked(["b", "a", "b"]).encoded(np.dtype("float32")).tolist() == [[1], [0], [1]]
    expected = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert checked([9, 3, 5]).encoded(np.dtype("float32")).tolist() == expected


def test_a_part_is_held_out_of_each_class_with_its_weights():
    labels = np.repeat([0, 1], [20, 60])
    kept, held_out = checked(labels, weight=np.arange(1, 81)).split(0.25, np.random.default_rng(0))
    assert np.bincount(held_out.target).tolist() == [5, 15]
    assert sorted([*kept.weight, *held_out.weight]) == list(range(1, 81))


def test_parts_are_drawn_with_31_bits_of_the_generator(monkeypatch):
    seeds = []

    def stop(*arrays, random_state, **settings):
        seeds.append(random_state)
        raise InterruptedError

    monkeypatch.setattr("voicelstm.classifier._labelled.train_test_split", stop)
    for seed in range(20):
        with pytest.raises(InterruptedError):
            checked([0, 1] * 4).split(0.5, np.random.default_rng(seed))
    assert len(set(seeds)) == 20
    assert 2**30 <= max(seeds) < 2**31


def test_a_generator_takes_128_bits_of_a_random_state_and_moves_it():
    drawn = []

    class Watched(np.random.RandomState):
        def randint(self, *args, **kwargs):
            drawn.append(super().randint(*args, **kwargs))
            return drawn[-1]

    first = [new_generator(Watched(seed)).random() for seed in range(20)]
    assert {values.shape for values in drawn} == {(4,)}
    assert 2**31 <= np.max(drawn) < 2**32
    assert len(set(first)) == 20
    random_state = np.random.RandomState(0)
    assert new_generator(random_state).random() != new_generator(random_state).random()
    assert new_generator(7).random() == np.random.default_rng(7).random()


def test_a_human_label_is_known_or_given_of_two_classes_alone():
    two, three = np.array(["human", "synthetic"]), np.array(["human", "tts", "vc"])
    assert known_human_label(two, None) == known_human_label(two, "human") == "human"
    assert known_human_label(np.array([0, 1]), 1) == 1
    assert known_human_label(np.array([0, 1]), None) is known_human_label(three, None) is None
    for classes in (three, three[:1]):
        with pytest.raises(ValueError, match=r"human_label='human' is for two classes"):
            known_human_label(classes, "human")


def test_a_batch_of_a_stream_may_lack_classes_but_brings_no_new_ones():
    known = np.array(["h", "s"])
    assert checked(["s", "s"], classes=known, one_pass=True).target.tolist() == [1, 1]
    with pytest.raises(ValueError, match="not among the classes"):
        checked(["s", "x"], classes=known, one_pass=True)
    for classes, one_pass in [(None, False), (known, False), (known[1:], True)]:
        with pytest.raises(ValueError, match="needs clips of at least 2 classes"):
            checked(["s", "s"], classes=classes, one_pass=one_pass)
    with pytest.warns(SequenceWarning), pytest.raises(ValueError, match="needs clips of at least 2 classes"):
        checked(["s", "h"], weight=[1, 0], classes=known, one_pass=True, lengths=[0, 3])
    with pytest.raises(ValueError, match="needs all clips at once"):
        checked(["s", "h"], classes=known, class_weight="balanced", one_pass=True)


@pytest.mark.parametrize(
    ("weight", "class_weight", "message"),
    [
        ([1, -1], None, "Negative values in data passed to `sample_weight`"),
        ([1, 1e-39], None, r"^sample_weight has the value 1e-39, .* out of the range of float32"),
        ([5e-324, 5e-324], None, r"^sample_weight has the value 4.94e-324"),
        ([1e39, 1], None, r"^sample_weight has the value 1e\+39, .*Scale all of them"),
        ([1e-30, 1e30], None, r"^sample_weight has values from 1e-30 to 1e\+30: .*Give 0 to clips"),
        ([1, 1e-30], {0: 1.0, 1: 1e-10}, r"^sample_weight times class_weight has the value 1e-40"),
    ],
)
def test_weights_that_single_precision_cannot_hold_are_refused(weight, class_weight, message):
    for one_pass in (False, True):
        with pytest.raises(ValueError, match=message):
            checked(
                [0, 1], weight=weight, classes=np.array([0, 1]), class_weight=class_weight, one_pass=one_pass
            )


@pytest.mark.parametrize("of_class", [0, -1, np.inf, np.nan])
def test_a_class_weighs_more_than_nothing_and_less_than_everything(of_class):
    with pytest.raises(ValueError, match="must give each class a positive, finite weight"):
        checked([0, 1], class_weight={0: of_class, 1: 1.0})


def test_weights_as_far_apart_as_single_precision_reaches_are_taken():
    least, most = 2.0**-126, float(np.finfo(np.float32).max)
    for weight in ([least, least], [most, most], [least, 1.0]):
        assert checked([0, 1], weight=weight).weight.tolist() == weight


def test_weights_far_apart_within_single_precision_are_taken(double_precision):
    X, y = clips_of(8)
    weight = np.where(y == 1, 1e-30, 2e-30)
    assert small(max_epochs=1).fit(X, y, sample_weight=weight).log_prior_odds_ == pytest.approx(-np.log(2))
    weight[0] = 1e6
    assert np.isfinite(small(max_epochs=1).fit(X, y, sample_weight=weight).history_["loss"]).all()


def with_copies(X, n_copies, seed=0):
    """Clips with copies, other clips of the same length."""
    generator = np.random.default_rng(seed)
    return AugmentedSequences(X, [[generator.normal(size=clip.shape) for clip in X] for _ in range(n_copies)])


@pytest.mark.parametrize("segment_frames", [999, 12])
def test_a_clip_counts_the_same_with_copies_that_equal_it_and_without(segment_frames, double_precision):
    X, y = clips_of(21)
    settings = {"segment_frames": segment_frames, "batch_size": 512, "class_weight": "balanced"}
    settings |= {"standardize": True}
    alone = descent(X, y, REPEATED, **settings)
    for copies in ([X], [X, X, X], [X, [clip[:0] for clip in X]]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SequenceWarning)  # of empty ones
            found = descent(AugmentedSequences(X, copies), y, REPEATED, **settings)
        # Keras multiplies matrices of float64 in single precision under torch.
        tolerance = 1e-5 if BACKEND == "torch" else 1e-6
        np.testing.assert_allclose(found, alone, rtol=tolerance, atol=tolerance / 1000)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_copies_are_clips_that_share_the_weight_of_theirs(method, double_precision):
    X, y = clips_of(9)
    augmented = with_copies(X, 2)
    augmented.copies[1][4] = augmented.copies[1][4][:0]
    augmented.copies[0][7], augmented.copies[1][7] = X[7][:0], X[7][:0]
    weight = np.linspace(1, 3, 9)
    # By hand: 0.3 of the weight is that of the copies; 4 has one of them, and 7 none.
    plain, first, second = 0.7 * weight, 0.15 * weight, 0.15 * weight
    first[4], second[4], first[7], second[7], plain[7] = 0.3 * weight[4], 0, 0, 0, weight[7]
    shared = np.concatenate([plain, first, second])
    clips, of = augmented.expanded()
    settings = {"copy_weight": 0.3, "shuffle": False, "dtype": "float64", "dropout": 0.0}
    first_pass = {"classes": [0, 1]} if method == "partial_fit" else {}

    def fitted(X, y, weight):
        classifier = small(**settings)
        getattr(classifier, method)(X, y, sample_weight=weight, **first_pass)
        return classifier

    expanded = fitted([clips[i] for i in np.flatnonzero(shared)], y[of][shared > 0], shared[shared > 0])
    found = fitted(augmented, y, weight)  # without a warning, which the container gave
    np.testing.assert_allclose(found.decision_function(X), expanded.decision_function(X), rtol=1e-9)
    np.testing.assert_allclose(found._fitted.statistics.mean, expanded._fitted.statistics.mean)
    assert found.log_prior_odds_ == pytest.approx(np.log(weight[1::2].sum() / weight[::2].sum()))


def test_a_class_weight_is_balanced_over_clips_whatever_copies_they_have(double_precision):
    X, y = clips_of(12)
    y = np.repeat([0, 1], [9, 3])
    augmented = with_copies(X, 2)
    for position in (0, 1, 9):
        augmented.copies[0][position] = X[position][:0]
    classifier = small(class_weight="balanced", max_epochs=1).fit(augmented, y)
    np.testing.assert_allclose(classifier._fitted.class_totals, [6, 6])


def test_a_clip_that_is_empty_or_weighs_nothing_is_left_out_with_its_copies():
    X = [np.ones((2, 1)), np.ones((0, 1)), np.ones((3, 1)), np.ones((4, 1))]
    copy = [np.ones((1, 1)), np.ones((6, 1)), np.ones((7, 1)), np.ones((0, 1))]
    with pytest.warns(SequenceWarning) as caught:
        found = LabelledInput.checked(X, [0, 1, 0, 1], [1, 1, 0, 4], None, None, False, copies=[copy])
    assert [str(each.message) for each in caught] == [
        "1 empty clips are left out of training, positions [1]."
    ]
    expanded = found.expanded(0.5)
    assert [len(clip) for clip in expanded.clips] == [2, 4, 1]
    assert expanded.weight.tolist() == [0.5, 4, 0.5]
    assert expanded.target.tolist() == [0, 1, 0]
    assert [len(clip) for clip in found.expanded(0.0).clips] == [2, 4]
    assert [len(clip) for clip in found.expanded(1.0).clips] == [4, 1]


def test_copies_with_other_columns_are_refused_by_name():
    X, y = clips_of(6)
    with pytest.raises(ValueError, match=r"^Of copies\[1\] of X: X has 2 features, but .* expecting 3"):
        small().fit(AugmentedSequences(X, [X, [clip[:, :2] for clip in X]]), y)
